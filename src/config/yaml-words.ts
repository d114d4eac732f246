import type { YAMLError } from 'yaml';

const INDENTATION = 'what belongs together must be indented alike, with blanks, not with tabs';

/** What is wrong with a file as YAML, and what to do, in words for people who write such a file once a year. */
const WORDS: { readonly [code in YAMLError['code']]?: string } = {
  TAB_AS_INDENT: 'there is a tab in front of this line: indent with blanks',
  BAD_INDENT: `this line is not indented as those around it, or a bracket above stays open: ${INDENTATION}`,
  MISSING_CHAR:
    'something is missing here: the ":" behind an option, the "-" of a list, or a quote above stays open',
  BLOCK_AS_IMPLICIT_KEY:
    'there is a second ":" or "-" in one line: put the option on a line of its own, or the text in quotes',
  MULTILINE_IMPLICIT_KEY: 'this line has no ":": an option is written "name: value"',
  UNEXPECTED_TOKEN: `this cannot stand here: ${INDENTATION}`,
  BAD_SCALAR_START: 'what begins with @, ` or % must be written in quotes',
  BAD_DQ_ESCAPE: 'a backslash within "…" must be doubled, or the text be put in \'…\'',
  TAG_RESOLVE_FAILED: 'what begins with ! must be written in quotes',
  MULTIPLE_DOCS: 'here begins a second document (---): a configuration is one',
  MULTIPLE_ANCHORS: 'what begins with & must be written in quotes',
};

/** What an error of the parser means. What was written there is not shown but for the name of an option: it may be secret. */
export function yamlProblem({ code, message, pos }: YAMLError, source: string): string {
  if (code === 'DUPLICATE_KEY')
    return `${keyAt(source, pos[0])} is written twice: put what it holds together`;
  return WORDS[code] ?? message.replace(/(:| at line) .*$/s, '');
}

function keyAt(source: string, at: number): string {
  return /^["']?([\w./-]{1,80})/.exec(source.slice(at, at + 100))?.[1] ?? 'this option';
}
