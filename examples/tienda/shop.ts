import type { Client } from 'pg';
import { refusing, ShopError } from './refusal.ts';
import { TABLES } from './schema.ts';

/** What the shop does all day: create, read, update and delete, each a statement or one transaction. */

export interface Usuario {
  readonly usuario_id: number;
  readonly nombre: string;
  readonly apellido: string;
}

export interface Producto {
  readonly producto_id: number;
  readonly nombre_producto: string;
  readonly manufacturador: string;
  /** With two decimals, as text: money is not a float. */
  readonly precio: string;
  readonly existencias: number;
}

/** An order, with who ordered what. */
export interface Pedido {
  readonly pedido_id: number;
  readonly usuario_id: number;
  readonly nombre: string;
  readonly apellido: string;
  readonly producto_id: number;
  readonly nombre_producto: string;
  readonly manufacturador: string;
  readonly precio: string;
  readonly cantidad: number;
  readonly total: string;
  readonly estado: Estado;
  readonly fecha_pedido: Date;
}

export type Estado = 'nuevo' | 'pagado' | 'enviado' | 'entregado';

export interface NewProduct {
  readonly nombre: string;
  readonly manufacturador: string;
  readonly precio: string;
  readonly existencias: number;
}

const ORDERS = `
  SELECT pedido_id, usuario_id, nombre, apellido, producto_id, nombre_producto, manufacturador, precio::text,
         cantidad, total::text, estado, fecha_pedido
  FROM pedidos JOIN usuarios USING (usuario_id) JOIN productos USING (producto_id)`;

/** @returns the new user's id. @throws ShopError */
export async function registerUser(client: Client, nombre: string, apellido: string): Promise<number> {
  const sql = 'INSERT INTO usuarios (nombre, apellido) VALUES ($1, $2) RETURNING usuario_id AS id';
  return idOf(client, sql, [nombre, apellido]);
}

/** @returns the new product's id. @throws ShopError */
export async function addProduct(client: Client, product: NewProduct): Promise<number> {
  const { nombre, manufacturador, precio, existencias } = product;
  return idOf(
    client,
    `INSERT INTO productos (nombre_producto, manufacturador, precio, existencias)
     VALUES ($1, $2, $3, $4) RETURNING producto_id AS id`,
    [nombre, manufacturador, precio, existencias],
  );
}

/** Takes the goods from the stock and notes the order, both or neither. @returns the new order's id. @throws ShopError */
export async function placeOrder(client: Client, usuario: number, producto: number, cantidad: number): Promise<number> {
  return idOf(
    client,
    `WITH taken AS (
       UPDATE productos SET existencias = existencias - $3 WHERE producto_id = $2
       RETURNING producto_id, precio
     )
     INSERT INTO pedidos (usuario_id, producto_id, cantidad, total)
     SELECT $1, taken.producto_id, $3, $3 * taken.precio FROM taken RETURNING pedido_id AS id`,
    [usuario, producto, cantidad],
    `there is no product ${String(producto)}`,
  );
}

export async function findUser(client: Client, id: number): Promise<Usuario | undefined> {
  const { rows } = await refusing(
    client.query<Usuario>('SELECT usuario_id, nombre, apellido FROM usuarios WHERE usuario_id = $1', [id]),
  );
  return rows[0];
}

export async function findProduct(client: Client, id: number): Promise<Producto | undefined> {
  const columns = 'producto_id, nombre_producto, manufacturador, precio::text, existencias';
  const { rows } = await refusing(
    client.query<Producto>(`SELECT ${columns} FROM productos WHERE producto_id = $1`, [id]),
  );
  return rows[0];
}

export async function findOrder(client: Client, id: number): Promise<Pedido | undefined> {
  const { rows } = await refusing(client.query<Pedido>(`${ORDERS} WHERE pedido_id = $1`, [id]));
  return rows[0];
}

/** Every order, the first one first. */
export async function allOrders(client: Client): Promise<readonly Pedido[]> {
  return (await refusing(client.query<Pedido>(`${ORDERS} ORDER BY pedido_id`))).rows;
}

export async function changePrice(client: Client, producto: number, precio: string): Promise<void> {
  await exactlyOne(client, 'UPDATE productos SET precio = $2 WHERE producto_id = $1', [producto, precio]);
}

export async function moveOrder(client: Client, id: number, estado: Estado): Promise<void> {
  await exactlyOne(client, 'UPDATE pedidos SET estado = $2 WHERE pedido_id = $1', [id, estado]);
}

/** Puts the goods back into the stock and removes the order, both or neither. */
export async function cancelOrder(client: Client, id: number): Promise<void> {
  await exactlyOne(
    client,
    `WITH gone AS (DELETE FROM pedidos WHERE pedido_id = $1 RETURNING producto_id, cantidad)
     UPDATE productos SET existencias = existencias + gone.cantidad
     FROM gone WHERE productos.producto_id = gone.producto_id`,
    [id],
  );
}

/** Removes every table with all that is in it. */
export async function dropTables(client: Client): Promise<void> {
  await refusing(client.query(`DROP TABLE ${TABLES.toReversed().join(', ')}`));
}

/** @param nothing what it means that no row was inserted. */
async function idOf(client: Client, sql: string, values: readonly unknown[], nothing = ''): Promise<number> {
  const { rows } = await refusing(client.query<{ id: number }>(sql, [...values]), values);
  if (rows[0] === undefined) throw new ShopError(nothing);
  return rows[0].id;
}

async function exactlyOne(client: Client, sql: string, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await client.query(sql, [...values]);
  if (rowCount !== 1) throw new Error(`${String(rowCount)} rows instead of one were changed by: ${sql}`);
}
