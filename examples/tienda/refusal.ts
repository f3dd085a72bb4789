import pg from 'pg';

/** What the shop does not do, in words for who asked for it. */
export class ShopError extends Error {
  override readonly name = 'ShopError';
}

/** What a violated constraint means. `$1` and so on are the values of the statement. */
const CONSTRAINTS: Readonly<Record<string, string>> = {
  pedidos_usuario_id_fkey: 'there is no user $1',
  pedidos_producto_id_fkey: 'there is no product $2',
  pedidos_cantidad_check: 'nobody orders less than nothing: $3',
  productos_existencias_check: 'there is not enough of it in stock',
  productos_precio_check: 'a price is not negative: $3',
  productos_nombre_producto_check: 'a product has a name',
  usuarios_nombre_check: 'a user has a name',
  usuarios_apellido_check: 'a user has a surname',
};

/** Of PostgreSQL's error codes, those that are somebody's mistake. */
const CODES: Readonly<Record<string, string>> = {
  '42P01': 'there is no shop in this database: open it by crear_base_de_datos',
  '42P07': 'there is a shop in this database already',
  '22003': 'a number is too large',
  '22P02': 'a number is none',
};

/** Waits for the statement. @throws ShopError for what the tables do not allow. */
export async function refusing<T>(statement: Promise<T>, values: readonly unknown[] = []): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const said = CONSTRAINTS[error.constraint ?? ''] ?? CODES[error.code ?? ''];
    if (said === undefined) throw error;
    throw new ShopError(
      said.replace(/\$(\d)/, (_, at: string) => String(values[Number(at) - 1])),
      { cause: error },
    );
  }
}
