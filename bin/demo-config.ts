import { type Config, defaults } from '#config/resolve.ts';
import { demoFleet, fleetTargets } from '#simulator/scenarios/demo.ts';

const intervalMs = 15_000;

/**
 * The configuration of the demo: the simulated fleet, probed four times a minute so that its story shows soon.
 * @param simulatorUrl where the simulated providers listen
 */
export function demoConfig(simulatorUrl: string): Config {
	return {
		simulated: true,
		intervalMs,
		targets: fleetTargets(demoFleet, simulatorUrl, { intervalMs }),
		// Simulated money; the budget works all the same.
		budget: { usdPerDay: 1_000 },
		record: { keepResultsMs: defaults.keepResultsMs },
		// The story is short.
		verdict: { blipMs: 5_000 },
		alerts: { channels: {}, routes: [] },
		objectives: [],
		maintenances: [],
		deadManSwitch: null,
		status: { title: 'LLM status', url: null },
	};
}
