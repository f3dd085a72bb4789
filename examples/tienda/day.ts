import type { Client } from 'pg';
import { addProduct, cancelOrder, changePrice, findOrder, moveOrder, placeOrder, registerUser } from './shop.ts';

/** What a day of business changed: rows by what was done to them. */
export interface Day {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

const CUSTOMERS = 20;
const ORDERS_EACH = 5;

/** A quiet day in the shop: new customers order, orders go out, some are cancelled, a price rises. */
export async function aDay(client: Client): Promise<Day> {
  const placed: number[] = [];
  const novelty = await addProduct(client, {
    nombre: 'Novedad',
    manufacturador: 'Fabricante 1',
    precio: '19.90',
    existencias: 500,
  });
  for (let n = 0; n < CUSTOMERS; n++) {
    const customer = await registerUser(client, 'Nueva', `Cliente ${String(n)}`);
    for (let order = 0; order < ORDERS_EACH; order++)
      placed.push(await placeOrder(client, customer, order === 0 ? novelty : 1 + n * ORDERS_EACH + order, 1 + (n % 3)));
  }
  for (const id of placed) await moveOrder(client, id, 'pagado');
  const cancelled = placed.filter((_, i) => i % 10 === 9);
  for (const id of cancelled) await cancelOrder(client, id);
  await changePrice(client, novelty, '21.90');
  await requireGone(client, cancelled);
  return { created: 1 + CUSTOMERS + placed.length, updated: placed.length + 1, deleted: cancelled.length };
}

async function requireGone(client: Client, ids: readonly number[]): Promise<void> {
  for (const id of ids)
    if ((await findOrder(client, id)) !== undefined) throw new Error(`order ${String(id)} is still there`);
}
