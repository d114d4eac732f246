const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The order of names as people have it: lamp 2 comes before lamp 10. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return collator.compare(a.name, b.name);
}
