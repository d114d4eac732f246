import { usePage } from '../page.ts';
import type { Role } from '../wire.ts';

interface RightsProps {
  readonly name: string;
  readonly role: Role;
  readonly places: readonly string[] | null;
}

/** Somebody or something that may come in, and what it may do. */
export function Rights({ name, role, places }: RightsProps) {
  const { words } = usePage();
  return (
    <p>
      <strong>{name}</strong>{' '}
      <span class="soft">{[words.roles[role] ?? role, ...(places ?? [])].join(' · ')}</span>
    </p>
  );
}

/** Places as they are typed, with commas between; none is `null`, which is everywhere. */
export function placesIn(text: string): readonly string[] | null {
  const places = text
    .split(',')
    .map((place) => place.trim())
    .filter((place) => place !== '');
  return places.length === 0 ? null : places;
}
