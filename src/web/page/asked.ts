import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, HttpError } from './http.ts';

/** What the bridge answered to a question of a view. */
export interface Asked<T> {
  /** The last answer; it stays while a newer one is awaited. */
  readonly value: T | null;
  readonly error: HttpError | null;
  /** Asks again. */
  readonly again: () => void;
}

/** Asks the bridge once, and again when the path or `fresh` is another; a `null` path asks nothing. */
export function useAsked<T>(path: string | null, fresh: unknown = null): Asked<T> {
  const [answer, setAnswer] = useState<{ value: T | null; error: HttpError | null }>({
    value: null,
    error: null,
  });
  const [count, setCount] = useState(0);
  const turn = useRef(0);
  const again = useCallback(() => setCount((before) => before + 1), []);
  useEffect(() => {
    if (path === null) return;
    const mine = ++turn.current;
    ask<T>('GET', path).then(
      (value) => mine === turn.current && setAnswer({ value, error: null }),
      (cause) =>
        mine === turn.current &&
        setAnswer(({ value }) => ({
          value,
          error: cause instanceof HttpError ? cause : new HttpError(0, 'unexpected', String(cause)),
        })),
    );
  }, [path, fresh, count]);
  return { ...answer, again };
}

/** Something done by a button: whether it is under way, and how it ended. */
export interface Doing {
  readonly busy: boolean;
  readonly error: string | null;
  readonly done: boolean;
  /** Does it, unless it is under way already. */
  readonly run: (act: () => Promise<unknown>) => void;
}

export function useDoing(): Doing {
  const [state, setState] = useState<{ busy: boolean; error: string | null; done: boolean }>({
    busy: false,
    error: null,
    done: false,
  });
  const run = (act: () => Promise<unknown>) => {
    if (state.busy) return;
    setState({ busy: true, error: null, done: false });
    act().then(
      () => setState({ busy: false, error: null, done: true }),
      (cause) =>
        setState({ busy: false, error: cause instanceof Error ? cause.message : String(cause), done: false }),
    );
  };
  return { ...state, run };
}
