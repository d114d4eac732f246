import { outletKey } from '../bridge/memory.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import { History } from '../store/history.ts';
import type { Store } from '../store/store.ts';
import type { Surroundings } from './surroundings.ts';

/** The power of all plugs over time, kept up to date by what the bridge hears of them. */
export function historyFor(
  { bridge, store }: { readonly bridge: BridgeView; readonly store: Store },
  { clock }: Surroundings,
): History {
  const history = new History(store, clock);
  bridge.on('plug', ({ before, after }) => {
    const [key, former] = [keyOf(after), keyOf(before)];
    if (former !== undefined && former !== key) history.draws(former, null);
    if (key === undefined) return;
    const power = powerOf(after);
    if (power !== powerOf(before) || former !== key) history.draws(key, power);
  });
  bridge.on('leaving', ({ path }) => {
    const plug = bridge.plug(path);
    const key = plug && keyOf(plug);
    if (key !== undefined) history.draws(key, null);
  });
  return history;
}

/** The outlet's key, once it is known which device it is. */
export function keyOf({ info }: PlugState): string | undefined {
  return info === null || info.mac === null ? undefined : outletKey(info.mac, info.outlet);
}

/** What it draws now; what it last said before it fell silent says nothing about that. */
function powerOf({ availability, power }: PlugState): number | null {
  return availability === 'online' ? power : null;
}
