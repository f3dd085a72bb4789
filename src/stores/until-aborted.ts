import { abortError } from '../errors.ts';

/** A promise's value, or an error as soon as somebody gives up waiting for it. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let quit: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    quit = () => {
      reject(abortError(signal));
    };
    if (signal.aborted) quit();
    else signal.addEventListener('abort', quit, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', quit);
  }
}
