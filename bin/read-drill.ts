import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DrillReport } from '#core/drill-report.ts';
import { ExpectedError } from './expected-error.ts';

/** Where `linnet drill --publish` leaves the operator's own; without one, what was found at the release. */
export const drillFile = (dataDir: string): string => join(dataDir, 'drill.json');
const released = new URL('../simulator/scenarios/drills/report.json', import.meta.url);

/** @throws ExpectedError when the operator's file is no report */
export async function readDrill(dataDir: string): Promise<DrillReport> {
	const path = drillFile(dataDir);
	const own = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return null;
		throw new ExpectedError(`${path}: could not be read (${error.code})`);
	});
	if (own === null) return JSON.parse(await readFile(released, 'utf8')) as DrillReport;
	try {
		const report = JSON.parse(own) as DrillReport;
		if (report.schema === 'linnet.drill/1') return report;
	} catch {
		// Told below: not JSON is no report either.
	}
	throw new ExpectedError(`${path}: expected a report that \`linnet drill --publish\` wrote; delete it to publish the figures of the release`);
}
