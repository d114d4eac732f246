/** A day of the plug's own calendar. */
export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Something added up by day, as the firmware keeps its statistics. */
export class DayCounter {
  /** By the day written `year-month-day`. */
  readonly #days = new Map<string, { readonly day: Day; readonly amount: number }>();

  add({ year, month, day }: Day, amount: number): void {
    const key = `${year}-${month}-${day}`;
    this.#days.set(key, { day: { year, month, day }, amount: (this.#days.get(key)?.amount ?? 0) + amount });
  }

  clear(): void {
    this.#days.clear();
  }

  /** The days of a month that have a record; `unit` makes of an amount what the plug says of it. */
  days<Unit>(year: unknown, month: unknown, unit: (amount: number) => Unit): (Day & Unit)[] {
    return [...this.#days.values()]
      .filter(({ day }) => day.year === year && day.month === month)
      .map(({ day, amount }) => ({ ...day, ...unit(amount) }));
  }

  /** The months of a year that have a record. */
  months<Unit>(year: unknown, unit: (amount: number) => Unit): (Omit<Day, 'day'> & Unit)[] {
    const months = new Map<number, number>();
    for (const { day, amount } of this.#days.values()) {
      if (day.year === year) months.set(day.month, (months.get(day.month) ?? 0) + amount);
    }
    return [...months].map(([month, amount]) => ({ year: Number(year), month, ...unit(amount) }));
  }
}
