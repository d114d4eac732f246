/** What the page shows; its address is kept behind `#`, so that no server and no proxy needs to know of it. */
export type Route =
  | { readonly view: 'site' | 'problems' | 'journal' | 'energy' | 'setup' | 'account' }
  | { readonly view: 'plug'; readonly path: string };

const VIEWS = ['problems', 'journal', 'energy', 'setup', 'account'] as const;

/** The route of an address such as `#/plug/east-wing/lamp-1`; the site where it is none. */
export function routeOf(hash: string): Route {
  const [, first = '', ...rest] = hash.split('/');
  if (first === 'plug' && rest.join('') !== '') return { view: 'plug', path: rest.map(decoded).join('/') };
  const view = VIEWS.find((name) => name === first);
  return { view: view ?? 'site' };
}

/** The address of a route. */
export function hashOf(route: Route): string {
  if (route.view === 'plug') return `#/plug/${route.path.split('/').map(encodeURIComponent).join('/')}`;
  return route.view === 'site' ? '#/' : `#/${route.view}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
