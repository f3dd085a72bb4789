/** The shop of the examples at the command line, and what becomes of it when all its tables are removed. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';
import { Cluster, DEBIAN_15, debianBinaries } from '../fixtures/postgres.ts';

const APP = join(import.meta.dirname, '../../examples/tienda/app.ts');

describe('The shop', () => {
  let cluster: Cluster;
  let place: Workplace;
  let address: string;
  beforeAll(async () => {
    cluster = await Cluster.create(await debianBinaries());
    await cluster.start();
    await cluster.query('CREATE DATABASE pc_db');
    address = `postgresql://postgres@/pc_db?host=${encodeURIComponent(cluster.folder)}&port=${cluster.port}`;
    place = await Workplace.make();
    await place.makeRepository();
    place.env.PATH = `${DEBIAN_15}:${process.env.PATH ?? ''}`;
  });
  afterAll(async () => {
    await cluster.remove();
    await place[Symbol.asyncDispose]();
  });

  const ask = (...args: string[]) => place.startProgram([process.execPath, APP, '--server', address, ...args]).ended;
  const shop = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await ask(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  };
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await ask(...args);
    expect(code).toBe(1);
    return stderr.trim();
  };

  it('registers, offers and takes orders, and says why it does not', async () => {
    expect(await refused('obtener_info_completa')).toBe(
      'tienda: there is no shop in this database: open it by crear_base_de_datos',
    );
    await shop('crear_base_de_datos');
    expect(await refused('crear_base_de_datos')).toContain('already');
    const name = `Ana'); DROP TABLE usuarios; --`;
    expect(await shop('crear_usuario', name, 'García')).toEqual({ usuario_id: 1 });
    expect(await shop('obtener_usuario', '1')).toEqual({ usuario_id: 1, nombre: name, apellido: 'García' });
    expect(await shop('crear_producto', 'Mate', 'Calabaza', '12.5', '10')).toEqual({ producto_id: 1 });
    expect(await shop('obtener_producto', '1')).toMatchObject({ nombre_producto: 'Mate', precio: '12.50' });
    expect(await shop('crear_pedido', '1', '1', '4')).toEqual({ pedido_id: 1 });
    expect(await shop('obtener_pedido', '1')).toMatchObject({ nombre: name, cantidad: 4, total: '50.00' });

    expect(await refused('crear_pedido', '1', '1', '7')).toContain('not enough of it in stock');
    expect(await refused('crear_pedido', '1', '1', '-4')).toContain('nobody orders less than nothing: -4');
    expect(await refused('crear_pedido', '9', '1', '1')).toContain('there is no user 9');
    expect(await refused('crear_pedido', '1', '9', '1')).toContain('there is no product 9');
    expect(await refused('crear_pedido', '1', '1', 'many')).toContain('"many" is no whole number');
    expect(await refused('crear_producto', 'Mate', 'Calabaza', '-1')).toContain('a price is not negative: -1');
    expect(await refused('crear_producto', 'Mate', 'Calabaza', 'free')).toContain('a number is none');
    expect(await refused('crear_usuario', '', 'García')).toContain('a user has a name');
    for (const what of ['usuario', 'producto', 'pedido'])
      expect(await refused(`obtener_${what}`, '99')).toMatch(/there is no (user|product|order) 99/);
    expect(await shop('obtener_producto', '1')).toMatchObject({ existencias: 6 });
    expect((await ask('crear_nada')).code).toBe(2);
  });

  it('is the same again after it was removed and restored', async () => {
    // The failed attempts before have used up numbers, as sequences do.
    expect(await shop('crear_usuario', 'Luis', 'Ñandú')).toEqual({ usuario_id: 3 });
    await shop('crear_pedido', '3', '1', '0');
    const before = await shop('obtener_info_completa');
    expect(before).toHaveLength(2);
    await place.ok('backup', `${address}&method=logical`);
    await shop('eliminar_base_de_datos');
    expect(await refused('obtener_info_completa')).toContain('there is no shop');
    await place.ok('restore', 'latest', '--to', address, '--yes');
    expect(await shop('obtener_info_completa')).toEqual(before);
    expect(await shop('crear_usuario', 'Eva', 'Sosa')).toEqual({ usuario_id: 4 });
  });
});
