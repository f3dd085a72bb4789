import { openBareStoreAt } from '../compose.ts';
import type { Plan } from '../domain/plan.ts';
import type { Surroundings } from './session.ts';

/** As the stores of a plan's archives name themselves, whether or not they can be reached. */
export async function archiveLocations(
  { archives = [] }: Pick<Plan, 'archives'>,
  { config, workingDirectory }: Surroundings,
): Promise<readonly string[]> {
  const locations: string[] = [];
  for (const name of archives) {
    const url = config?.archives.get(name)?.url;
    if (url === undefined) continue;
    const store = await openBareStoreAt({ url }, workingDirectory, true);
    await store.close();
    locations.push(store.location);
  }
  return locations;
}
