/** How well the pipeline told scenarios of faults with known truths: what `linnet drill` found last. */
export interface DrillReport {
	readonly schema: 'linnet.drill/1';
	/** Of the software that was drilled. */
	readonly version: string;
	/** When, ISO 8601. */
	readonly at: string;
	/** Times that each scenario was played. */
	readonly seeds: number;
	readonly scenarios: readonly DrillScenario[];
}

export interface DrillScenario {
	readonly name: string;
	readonly description: string;
	/** From the start of the trouble until it was told; null where nothing was to be told, or nothing was. */
	readonly detect: DrillFigures | null;
	/** Until the right scope was named. */
	readonly scope: DrillFigures | null;
	/** From its end until it was told to be over. */
	readonly clear: DrillFigures | null;
	readonly missed: number;
	/** Incidents that nobody expected, and how many of them blame a provider. */
	readonly falseAlarms: number;
	readonly misblamed: number;
	/** Sent, mean of a play. */
	readonly messages: number;
	/** What went otherwise than the scenario expects, in words. */
	readonly complaints: readonly string[];
}

/** Mean and standard deviation over the plays. */
export interface DrillFigures {
	readonly meanMs: number;
	readonly sigmaMs: number;
	readonly count: number;
}
