import { type Config, defaults } from '#config/resolve.ts';
import type { OfficialPage } from '#core/official.ts';
import { demoFleet, fleetTargets } from '#simulator/scenarios/demo.ts';
import { demoPageProviders } from '#simulator/scenarios/demo-status-page.ts';

const intervalMs = 15_000;

/** Some simulated providers have a status page, which lags behind the story. */
function officialPage(provider: string, simulatorUrl: string): { officialPage?: OfficialPage } {
	if (!demoPageProviders.includes(provider)) return {};
	return { officialPage: { url: `${simulatorUrl}/${provider}/status`, kind: 'statuspage', only: null } };
}

/**
 * The configuration of the demo: the simulated fleet, probed four times a minute so that its story shows soon.
 * @param simulatorUrl where the simulated providers listen
 */
export function demoConfig(simulatorUrl: string): Config {
	return {
		simulated: true,
		intervalMs,
		targets: fleetTargets(demoFleet, simulatorUrl, { intervalMs }).map((target) => ({ ...target, ...officialPage(target.provider, simulatorUrl) })),
		// Simulated money; the budget works all the same.
		budget: { usdPerDay: 1_000 },
		record: { keepResultsMs: defaults.keepResultsMs },
		// The story is short.
		verdict: { blipMs: 5_000 },
		alerts: { channels: {}, routes: [] },
		objectives: [],
		maintenances: [],
		deadManSwitch: null,
		status: { title: 'LLM status', url: null, showSpend: true },
	};
}
