/** Files that one worker alone should not read: the main thread reads and cuts them, all workers store the pieces. */
import { systemClock } from '../../clock.ts';
import { constants, open } from 'node:fs/promises';
import { RespaldoError } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import { isSameState, statOf } from '../filesystem/stat.ts';
import type { Node } from '../format/node.ts';
import type { Accounts } from './accounts.ts';
import { changedWhileRead, unreadable } from './entry-findings.ts';
import { Gate } from './gate.ts';
import { localNode } from './local-node.ts';
import { difference } from './item-log.ts';
import type { ItemTeller } from './item-teller.ts';
import type { OpenFile } from './protocol.ts';
import type { Saving } from './saving.ts';

const TRIES = 2;

type LargeFile = Omit<OpenFile, 'kind'>;

export class LargeFiles {
  readonly #saving: Saving;
  readonly #accounts: Accounts;
  readonly #teller: ItemTeller;
  readonly #withAtime: boolean;
  /** A file at a time: its pieces keep all workers busy. */
  readonly #gate = new Gate(1);

  constructor(saving: Saving, accounts: Accounts, teller: ItemTeller, withAtime: boolean) {
    this.#saving = saving;
    this.#accounts = accounts;
    this.#teller = teller;
    this.#withAtime = withAtime;
  }

  /** @returns the file's node, or undefined where it vanished or cannot be read, which is then a finding. */
  async save(file: LargeFile): Promise<Node | undefined> {
    return this.#gate.through(async () => {
      this.#saving.signal.throwIfAborted();
      this.#saving.progress(file.local);
      try {
        const { batches, tally } = this.#saving;
        const [before, began] = [batches.added, systemClock.monotonic()];
        const node = await this.#read(file);
        tally.file(file.isKnown ? 'changed' : 'new', node.size);
        this.#teller.file(file.local, file.isKnown ? 'modified' : 'new', difference(batches.added, before), began);
        return node;
      } catch (error) {
        this.#saving.report(unreadable(file.local, error, 'file'));
        return undefined;
      }
    });
  }

  async #read({ node, local }: LargeFile): Promise<Node> {
    const { streams, batches } = this.#saving;
    const handle = await open(fsPath(local), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      for (let tries = 1; ; tries++) {
        const stat = statOf(await handle.stat({ bigint: true }));
        if (stat.type !== 'file') throw new RespaldoError('source-lost', 'it is no longer a file');
        let at = 0;
        const { content, size } = await streams.saveFrom(async (space) => {
          const { bytesRead } = await handle.read(space, 0, space.length, at);
          at += bytesRead;
          return bytesRead;
        });
        await batches.drain();
        const changed = !isSameState(stat, statOf(await handle.stat({ bigint: true })));
        if (changed && tries < TRIES) continue;
        if (changed) this.#saving.report(changedWhileRead(local));
        return { ...localNode(node.name, local, stat, this.#accounts, this.#withAtime), size, content };
      }
    } finally {
      await handle.close();
    }
  }
}
