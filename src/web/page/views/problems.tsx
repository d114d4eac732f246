import { useAsked } from '../asked.ts';
import { type Page, usePage, useSite } from '../page.ts';
import { Icon } from '../parts/glyph.tsx';
import { hashOf } from '../route.ts';
import type { Plug, Problem } from '../wire.ts';

/** What is wrong, what failed together, and what to do about it. */
export function ProblemsView() {
  const { words } = usePage();
  const count = useSite(({ problems }) => problems);
  const plugs = useSite(({ plugs }) => plugs);
  const { value, error } = useAsked<{ readonly problems: readonly Problem[] }>('api/problems', count);
  const problems = value?.problems ?? [];
  return (
    <div class="view">
      <h1>{words.problems}</h1>
      {error !== null && <p class="error">{words.failed(error.message)}</p>}
      {value !== null && problems.length === 0 && (
        <p class="all-well">
          <Icon name="done" />
          <span>
            <strong>{words.noProblems}</strong> {words.noProblemsHelp}
          </span>
        </p>
      )}
      {groupsOf(problems).map((group) => (
        <ProblemCard key={`${group.kind} ${group.problems[0]?.path}`} group={group} plugs={plugs} />
      ))}
    </div>
  );
}

interface ProblemCardProps {
  readonly group: Group;
  readonly plugs: ReadonlyMap<string, Plug>;
}

function ProblemCard({ group, plugs }: ProblemCardProps) {
  const page = usePage();
  const { words, format } = page;
  const { kind, problems, together } = group;
  return (
    <section class="panel problem">
      <header>
        <Icon name="problems" />
        <h2>{words.problemKinds[kind] ?? kind}</h2>
        {together && <p>{words.togetherNote(problems.length)}</p>}
      </header>
      <ul>
        {problems.map(({ path, since, reason }) => (
          <li key={path}>
            <a href={hashOf({ view: 'plug', path })}>{plugs.get(path)?.name ?? path}</a>
            <p>
              {[
                since === null ? '' : words.since(format.moment(Date.parse(since))),
                reason === null ? '' : reasonText(page, reason),
              ]
                .filter((text) => text !== '')
                .join(' · ')}
            </p>
          </li>
        ))}
      </ul>
      <p class="cure">{words.problemCures[kind] ?? problems[0]?.cure ?? ''}</p>
    </section>
  );
}

function reasonText({ words }: Pick<Page, 'words'>, reason: string): string {
  return words.reasons[reason] ?? reason;
}

interface Group {
  readonly kind: string;
  readonly problems: readonly Problem[];
  /** They failed at the same time or in the same place: one cause is likelier than several. */
  readonly together: boolean;
}

/** Problems of one kind and group are one card. */
export function groupsOf(problems: readonly Problem[]): readonly Group[] {
  const groups = new Map<string, Problem[]>();
  for (const problem of problems) {
    const key = `${problem.kind} ${problem.group ?? (problem.kind === 'offline' ? problem.path : '')}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [problem]);
    else known.push(problem);
  }
  return [...groups.values()].map((all) => ({
    kind: all[0]?.kind ?? '',
    problems: all,
    together: all.length > 1 && all[0]?.group !== null,
  }));
}
