import type { Chance } from '../soak/random.ts';

/** What breaks programs: limits of numbers, keys of every object, ends of texts, what terminals and logs act upon. */
const NASTY = [
  '',
  '0',
  '-1',
  '1e999',
  '-1e-999',
  '9007199254740993',
  '8.64e15',
  '4294967296',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '"__proto__"',
  '"constructor"',
  '{"__proto__":{"x":1}}',
  '{"toString":1}',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '{"a":{"a":{"a":{"a":{"a":{"a":{"a":',
  '\\ud800',
  '\\u0000',
  '\u0000',
  '\u202e',
  '\u001b[2J',
  '\r\n',
  '\ufeff',
  '//',
  '/../',
  '+',
  '#',
  '$SYS',
  '&a *a',
  '!!binary x',
  '<<: *a',
  '%00',
  'é'.repeat(100),
  'A'.repeat(5000),
];

/** Changes some of the bytes: flips, cuts, doubles, swaps, and puts in what breaks programs or a part of another text. */
export function mutated(seed: Buffer, corpus: readonly Buffer[], chance: Chance): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  const at = () => Math.floor(chance.next() * (bytes.length + 1));
  const splice = (from: number, to: number, put: Buffer) =>
    Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(Math.max(from, to))]);
  for (let changes = 1 + Math.floor(chance.next() * 4); changes > 0; changes--) {
    const from = at();
    switch (Math.floor(chance.next() * 8)) {
      case 0:
        if (from < bytes.length) bytes[from] = Math.floor(chance.next() * 256);
        break;
      case 1:
        bytes = splice(from, from + Math.floor(chance.next() * 8), Buffer.alloc(0));
        break;
      case 2:
        bytes = bytes.subarray(0, from);
        break;
      case 3:
        bytes = splice(from, from, bytes.subarray(from, from + Math.floor(chance.next() * 40)));
        break;
      case 4:
        bytes = splice(from, from, Buffer.from(chance.of(NASTY)));
        break;
      case 5:
        bytes = splice(from, from + Math.floor(chance.next() * 6), Buffer.from(chance.of(NASTY)));
        break;
      case 6: {
        const other = chance.of(corpus);
        const start = Math.floor(chance.next() * (other.length + 1));
        bytes = splice(from, from, other.subarray(start, start + Math.floor(chance.next() * 60)));
        break;
      }
      default:
        bytes = valueReplaced(bytes, chance);
    }
  }
  return bytes.subarray(0, MOST_BYTES);
}

const MOST_BYTES = 100_000;

/** Another value behind one of the colons, as JSON and YAML have them. */
function valueReplaced(bytes: Buffer, chance: Chance): Buffer {
  const text = bytes.toString('latin1');
  const colons = [...text.matchAll(/:\s*("[^"]*"|[^,}\]\s]+)/g)];
  if (colons.length === 0) return bytes;
  const { index, 0: whole } = chance.of(colons);
  const put = `:${chance.of(NASTY)}`;
  return Buffer.from(text.slice(0, index) + put + text.slice(index + whole.length), 'latin1');
}
