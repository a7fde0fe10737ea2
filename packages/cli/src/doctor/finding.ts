/** What `cyclegan doctor` finds, as plain data, and the same in words. Looks at nothing itself. */

export interface Finding {
  /** `absent`: not there, and needed by some uses only; `wrong`: it will fail, or work badly. */
  state: 'ok' | 'absent' | 'wrong';
  what: string;
  detail: string;
  /** One command that mends it. */
  fix?: string;
}

export interface Section {
  title: string;
  findings: Finding[];
}

const MARKS = { ok: '✓', absent: '–', wrong: '✗' };

/** A paragraph for each section; what mends a finding stands below it. */
export function describeSections(sections: readonly Section[]): string {
  const names = sections.flatMap(({ findings }) => findings.map(({ what }) => what.length));
  const width = Math.min(24, Math.max(...names));
  const paragraphs = sections.map(({ title, findings }) => {
    const lines = findings.flatMap(({ state, what, detail, fix }) => [
      `  ${MARKS[state]} ${what.padEnd(width)}  ${detail}`,
      ...(fix === undefined ? [] : [`      ${fix}`]),
    ]);
    return [title, ...lines].join('\n');
  });
  return [...paragraphs, summary(sections)].join('\n\n');
}

function summary(sections: readonly Section[]): string {
  const findings = sections.flatMap((section) => section.findings);
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const [wrong, absent] = [count('wrong'), count('absent')];
  const problems = wrong === 0 ? 'no problem' : `${wrong} ${wrong === 1 ? 'problem' : 'problems'} (✗)`;
  return `${problems}${absent === 0 ? '' : `, ${absent} not there (–), which some uses need`}`;
}

/** What an error says, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}
