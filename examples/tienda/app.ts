/**
 * The shop at the command line, an operation a verb:
 *
 *   node examples/tienda/app.ts --server postgresql://postgres@localhost/pc_db crear_usuario Ana García
 *
 * Prints what it did or found as JSON. Without `--server` PGHOST, PGDATABASE and the like say where the database is.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import pg from 'pg';
import { refusing, ShopError } from './refusal.ts';
import { createTables } from './schema.ts';
import {
  addProduct,
  allOrders,
  dropTables,
  findOrder,
  findProduct,
  findUser,
  placeOrder,
  registerUser,
} from './shop.ts';

const MAX_ID = 2 ** 31 - 1;

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('tienda').description('A small shop on PostgreSQL.').exitOverride();
  program.option('--server <address>', 'postgresql://user@host/database');
  const operation = (usage: string, about: string): Command => program.command(usage).description(about);
  /** What an operation answers is printed; a find that finds nothing is a refusal. */
  const answer = async (work: (client: pg.Client) => Promise<unknown>, missing = ''): Promise<void> => {
    const found = await inSession(program.opts<{ server?: string }>().server, work);
    if (found === undefined) throw new ShopError(missing);
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  };

  operation('crear_base_de_datos', 'make the tables').action(() =>
    answer(async (client) => {
      await refusing(createTables(client));
      return { creada: true };
    }),
  );
  operation('crear_usuario <nombre> <apellido>', 'register a user').action((nombre: string, apellido: string) =>
    answer(async (client) => ({ usuario_id: await registerUser(client, nombre, apellido) })),
  );
  operation(
    'crear_producto <nombre> <manufacturador> <precio> [existencias]',
    'offer a product; 100 of it in stock',
  ).action((nombre: string, manufacturador: string, precio: string, existencias: string = '100') =>
    answer(async (client) => ({
      producto_id: await addProduct(client, { nombre, manufacturador, precio, existencias: whole(existencias) }),
    })),
  );
  operation('crear_pedido <usuario> <producto> <cantidad>', 'order a product for a user').action(
    (usuario: string, producto: string, cantidad: string) =>
      answer(async (client) => ({
        pedido_id: await placeOrder(client, whole(usuario), whole(producto), whole(cantidad)),
      })),
  );
  operation('obtener_usuario <id>', 'show a user').action((id: string) =>
    answer((client) => findUser(client, whole(id)), `there is no user ${id}`),
  );
  operation('obtener_producto <id>', 'show a product').action((id: string) =>
    answer((client) => findProduct(client, whole(id)), `there is no product ${id}`),
  );
  operation('obtener_pedido <id>', 'show an order, with its user and product').action((id: string) =>
    answer((client) => findOrder(client, whole(id)), `there is no order ${id}`),
  );
  operation('obtener_info_completa', 'show all orders, with their users and products').action(() => answer(allOrders));
  operation('eliminar_base_de_datos', 'remove all tables, and everything in them').action(() =>
    answer(async (client) => {
      await dropTables(client);
      return { eliminada: true };
    }),
  );

  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`tienda: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof InvalidArgumentError ? 2 : 1;
  }
}

async function inSession<T>(server: string | undefined, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(server === undefined ? {} : { connectionString: server });
  try {
    await client.connect();
  } catch (error) {
    const reason = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
    throw new ShopError(`the database cannot be reached: ${reason}`, { cause: error });
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function whole(text: string): number {
  const number = Number(text);
  if (/^-?\d+$/.test(text) && Math.abs(number) <= MAX_ID) return number;
  throw new ShopError(`"${text}" is no whole number that the shop knows`);
}
