/** A database's name as the name of a file or folder: what that cannot be is percent-encoded. */
export function fileName(name: string): string {
  return name.replace(/^\.|[%/\u0000-\u001f\u007f]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
