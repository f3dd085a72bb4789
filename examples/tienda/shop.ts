import type { Client } from 'pg';

/** What the shop does all day: create, read, update and delete, each a statement or one transaction. */

export interface Pedido {
  readonly id: number;
  readonly usuario: string;
  readonly producto: string;
  readonly cantidad: number;
  /** With two decimals, as text: money is not a float. */
  readonly total: string;
  readonly estado: Estado;
}

export type Estado = 'nuevo' | 'pagado' | 'enviado' | 'entregado';

/** @returns the new user's id. */
export async function registerUser(client: Client, nombre: string, email: string): Promise<number> {
  return idOf(client, 'INSERT INTO usuarios (nombre, email) VALUES ($1, $2) RETURNING id', [nombre, email]);
}

/** @returns the new product's id. */
export async function addProduct(client: Client, nombre: string, precio: string, existencias: number): Promise<number> {
  const values = [nombre, precio, existencias];
  return idOf(client, 'INSERT INTO productos (nombre, precio, existencias) VALUES ($1, $2, $3) RETURNING id', values);
}

/** Takes the goods from the stock and notes the order, both or neither. @returns the new order's id. */
export async function placeOrder(client: Client, usuario: number, producto: number, cantidad: number): Promise<number> {
  return idOf(
    client,
    `WITH taken AS (
       UPDATE productos SET existencias = existencias - $3 WHERE id = $2 RETURNING id, precio
     )
     INSERT INTO pedidos (usuario_id, producto_id, cantidad, total)
     SELECT $1, taken.id, $3, $3 * taken.precio FROM taken RETURNING id`,
    [usuario, producto, cantidad],
  );
}

export async function findOrder(client: Client, id: number): Promise<Pedido | undefined> {
  const { rows } = await client.query<Pedido>(
    `SELECT pedidos.id, usuarios.nombre AS usuario, productos.nombre AS producto, cantidad, total::text, estado
     FROM pedidos JOIN usuarios ON usuarios.id = usuario_id JOIN productos ON productos.id = producto_id
     WHERE pedidos.id = $1`,
    [id],
  );
  return rows[0];
}

export async function changePrice(client: Client, producto: number, precio: string): Promise<void> {
  await exactlyOne(client, 'UPDATE productos SET precio = $2 WHERE id = $1', [producto, precio]);
}

export async function moveOrder(client: Client, id: number, estado: Estado): Promise<void> {
  await exactlyOne(client, 'UPDATE pedidos SET estado = $2 WHERE id = $1', [id, estado]);
}

/** Puts the goods back into the stock and removes the order, both or neither. */
export async function cancelOrder(client: Client, id: number): Promise<void> {
  await exactlyOne(
    client,
    `WITH gone AS (DELETE FROM pedidos WHERE id = $1 RETURNING producto_id, cantidad)
     UPDATE productos SET existencias = existencias + gone.cantidad FROM gone WHERE productos.id = gone.producto_id`,
    [id],
  );
}

async function idOf(client: Client, sql: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await client.query<{ id: number }>(sql, [...values]);
  if (rows[0] === undefined) throw new Error(`nothing was inserted by: ${sql}`);
  return rows[0].id;
}

async function exactlyOne(client: Client, sql: string, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await client.query(sql, [...values]);
  if (rowCount !== 1) throw new Error(`${String(rowCount)} rows instead of one were changed by: ${sql}`);
}
