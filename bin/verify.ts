import { resolve } from 'node:path';
import { Command } from 'commander';
import { verifyResults } from './verify-results.ts';

export function verifyCommand(): Command {
	return new Command('verify')
		.description('recompute the published figures of an export from its files alone, check its chain of hashes, and name every record that was changed')
		.argument('<dir>', 'the folder of `linnet export DIR --results`, or a copy of it')
		.action(async (dir: string) => {
			const { days, rows, figures, faults, publicKey } = await verifyResults(resolve(dir));
			for (const fault of faults) console.error(fault);
			const found = `${days} days, ${rows} records, ${figures} published figures recomputed`;
			if (faults.length > 0) {
				console.error(`Does not hold: ${faults.length} faults (${found}).`);
				process.exitCode = 1;
				return;
			}
			console.log(
				`Holds: ${found}; every day is chained to the one before. Signed by ${publicKey}: compare it with the key that the provider of the data names.`,
			);
		});
}
