/** The far end of the probe benchmarks, in its own process: its CPU must not be counted as the prober's. Forked with the fleet's pace as JSON. */
import { startSimulator } from '#simulator/start-simulator.ts';

interface Pace {
	readonly ttftMs: number;
	readonly tokensPerSecond: number;
}

const pace = JSON.parse(process.argv[2] ?? '{}') as Pace;
let askedCount = 0;
const simulator = await startSimulator({
	faultAt() {
		askedCount++;
		return null;
	},
	fleet: {
		providers: [
			{
				id: 'bench',
				name: 'bench',
				dialect: 'openai-chat',
				models: [
					{
						model: 'bench/model',
						upstreamModel: 'bench-model',
						operation: 'chat',
						ttftMs: { median: pace.ttftMs, sigma: 0.2 },
						tokensPerSecond: { median: pace.tokensPerSecond, sigma: 0 },
						price: null,
					},
				],
			},
		],
	},
});
/** Whoever asks is told how many requests there were. */
process.on('message', () => process.send?.(askedCount));
process.once('disconnect', () => void simulator.close().then(() => process.exit(0)));
process.send?.(simulator.baseUrl('bench'));
