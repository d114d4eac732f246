import { describe, expect, it } from 'vitest';
import { Doers } from '../../src/bridge/doers.ts';
import { type PlugState, unseen } from '../../src/bridge/plug-state.ts';

const plug = (path: string, given: Partial<PlugState>): PlugState => ({ ...unseen(path), ...given });

function asked(doers: Doers, target: string, relay: 'on' | 'off' | 'toggle', user: string | null): void {
  doers.asked({ command: 1, target, given: { relay, user, origin: 'web', id: null } });
}

function becomes(doers: Doers, path: string, relay: boolean, changedBy: PlugState['changedBy']): void {
  doers.changed({
    before: plug(path, { relay: !relay }),
    after: plug(path, { relay, changedBy }),
    asked: false,
  });
}

describe('who switched a plug last', () => {
  it('is who gave the command to it, or to a place around it, that it carried out', () => {
    const doers = new Doers();
    asked(doers, '', 'off', 'Anna');
    asked(doers, 'east', 'on', 'Bert');
    becomes(doers, 'east/lamp', true, 'web');
    becomes(doers, 'easter/lamp', false, 'web');
    expect(doers.of('east/lamp')).toBe('Bert');
    expect(doers.of('easter/lamp')).toBe('Anna');
  });

  it('is nobody by name where it was a schedule, or a hand at the plug, or somebody without a name', () => {
    const doers = new Doers();
    asked(doers, 'lamp', 'on', 'Anna');
    becomes(doers, 'lamp', true, 'web');
    becomes(doers, 'lamp', false, 'plug');
    expect(doers.of('lamp')).toBeNull();
    asked(doers, 'other', 'on', null);
    becomes(doers, 'other', true, 'mqtt');
    expect(doers.of('other')).toBeNull();
  });

  it('stays while the readings of the plug change, and goes with the plug', () => {
    const doers = new Doers();
    asked(doers, 'lamp', 'toggle', 'Anna');
    becomes(doers, 'lamp', true, 'web');
    const on = plug('lamp', { relay: true, changedBy: 'web' });
    doers.changed({ before: on, after: { ...on, power: 41 }, asked: false });
    expect(doers.of('lamp')).toBe('Anna');
    doers.removed('lamp');
    expect(doers.of('lamp')).toBeNull();
  });
});
