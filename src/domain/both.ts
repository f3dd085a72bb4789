/** What both come to; neither is left behind at work when the other fails. */
export async function both<A, B>(one: Promise<A>, other: B | Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}
