/** Characters of a configuration. Far more than anybody writes; less than what could hurt. */
export const MAX_CONFIG_SIZE = 256 * 1024;
