import { RespaldoError } from '../../errors.ts';

const SCHEME = 'docker-volume:';
/** As engines have it. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export interface VolumeAddress {
  readonly volume: string;
  /** Mounts the volume where its folder cannot be reached; absent: any that the engine has. */
  readonly image?: string;
}

export function isVolumeAddress(address: string): boolean {
  return address.toLowerCase().startsWith(SCHEME);
}

/** Reads `docker-volume:NAME?image=IMAGE`. @throws RespaldoError `usage` */
export function parseVolumeAddress(address: string): VolumeAddress {
  const [volume = '', query = '', ...rest] = address.slice(SCHEME.length).split('?');
  const hint = 'Write docker-volume:NAME, as `docker volume ls` shows it; with ?image=IMAGE if it has to be mounted.';
  if (!NAME.test(volume) || rest.length > 0)
    throw new RespaldoError('usage', `"${volume}" is no name of a volume`, { hint });
  const settings = new URLSearchParams(query);
  const unknown = [...settings.keys()].find((key) => key !== 'image');
  if (unknown !== undefined) throw new RespaldoError('usage', `a volume has no setting "${unknown}"`, { hint });
  const images = settings.getAll('image');
  if (images.length > 1 || images.includes(''))
    throw new RespaldoError('usage', `the image that mounts the volume ${volume} is not one`, { hint });
  return { volume, ...(images[0] !== undefined && { image: images[0] }) };
}
