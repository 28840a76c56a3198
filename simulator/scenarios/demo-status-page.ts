/** The official status page of a simulated provider: Statuspage v2, about the acts of the story that hit it, later than they begin, as such pages are. */
import { type Act, demoActs, demoLoopMs } from './demo.ts';

/** The providers of the demo that have one. */
export const demoPageProviders: readonly string[] = ['meridian', 'quanta'];

/** From the beginning of an act to their first word, and from its end to their last. */
const lagMs = 95_000;
const afterMs = 70_000;
const shownLoops = 5;

/** @param storyStartedAt ms since epoch; null when the provider has no page */
export function demoStatusPage(provider: string, storyStartedAt: number, now: number): object | null {
	if (!demoPageProviders.includes(provider)) return null;
	const loop = Math.floor((now - storyStartedAt) / demoLoopMs);
	const acts = demoActs.filter((act) => act.provider === provider && act.fault.mode === 'http_error');
	const incidents = Array.from({ length: shownLoops }, (_, back) => loop - back)
		.filter((one) => one >= 0)
		.flatMap((one) => acts.map((act) => incidentOf(act, one, storyStartedAt + one * demoLoopMs, now)))
		.filter((incident) => incident !== null);
	const updatedAt = incidents[0]?.updated_at ?? iso(storyStartedAt);
	return { page: { id: provider, name: provider, url: `https://status.${provider}.example`, time_zone: 'Etc/UTC', updated_at: updatedAt }, incidents };
}

const iso = (at: number) => new Date(at).toISOString();

function incidentOf(act: Act, loop: number, loopStartedAt: number, now: number) {
	const saidAt = loopStartedAt + act.fromS * 1_000 + lagMs;
	const overAt = loopStartedAt + act.toS * 1_000 + afterMs;
	if (now < saidAt) return null;
	const isOver = now >= overAt;
	const update = (status: string, at: number, body: string) => ({
		id: `${act.provider}-${loop}-${status}`,
		status,
		body,
		created_at: iso(at),
		display_at: iso(at),
	});
	const updates = [update('investigating', saidAt, 'We are investigating reports of elevated error rates.')];
	if (isOver) updates.unshift(update('resolved', overAt, 'This incident has been resolved.'));
	return {
		id: `${act.provider}-${loop}-${act.fromS}`,
		name: 'Elevated error rates',
		status: isOver ? 'resolved' : 'investigating',
		impact: 'minor',
		shortlink: null,
		created_at: iso(saidAt),
		started_at: iso(saidAt),
		updated_at: iso(isOver ? overAt : saidAt),
		resolved_at: isOver ? iso(overAt) : null,
		incident_updates: updates,
		components: [],
	};
}
