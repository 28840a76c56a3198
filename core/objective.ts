/** An objective of the operator's file: what must be how good, over how long. */
import type { Slo } from './slo.ts';

export interface Objective extends Slo {
	/** From what it is about: the same objective keeps its id over a restart. */
	readonly id: string;
	/** For people: "groq: 99.5 % over 30 d". */
	readonly title: string;
	/** Null means "all". */
	readonly scope: { readonly provider: string | null; readonly model: string | null; readonly operation: string | null };
	/** Targets whose results count; their sum is what is judged. */
	readonly targetIds: readonly string[];
}
