/** Look-ups in one snapshot, made once: a page a target each makes anything that goes through the whole fleet quadratic. */
import type { GroupView, IncidentView, Snapshot, TargetView } from '#core/snapshot.ts';

export interface FleetIndex {
	readonly targetOf: ReadonlyMap<string, TargetView>;
	readonly providerOf: ReadonlyMap<string, Snapshot['providers'][number]>;
	/** Id of a model → that model. */
	readonly modelOf: ReadonlyMap<string, GroupView>;
	/** Id of a target → incidents that hold it, newest first. */
	readonly incidentsOf: ReadonlyMap<string, readonly IncidentView[]>;
}

const kept = new WeakMap<Snapshot, FleetIndex>();

export function fleetIndex(snapshot: Snapshot): FleetIndex {
	const known = kept.get(snapshot);
	if (known !== undefined) return known;
	const incidentsOf = new Map<string, IncidentView[]>();
	for (const incident of snapshot.incidents) {
		for (const id of incident.targetIds) {
			const own = incidentsOf.get(id);
			if (own === undefined) incidentsOf.set(id, [incident]);
			else own.push(incident);
		}
	}
	const index = {
		targetOf: new Map(snapshot.targets.map((target) => [target.id, target])),
		providerOf: new Map(snapshot.providers.map((provider) => [provider.id, provider])),
		modelOf: new Map(snapshot.models.map((model) => [model.id, model])),
		incidentsOf,
	};
	kept.set(snapshot, index);
	return index;
}

export function membersOf(snapshot: Snapshot, { targetIds }: Pick<GroupView, 'targetIds'>): readonly TargetView[] {
	const { targetOf } = fleetIndex(snapshot);
	return targetIds.flatMap((id) => targetOf.get(id) ?? []);
}

export function providerName(snapshot: Snapshot, id: string): string {
	return fleetIndex(snapshot).providerOf.get(id)?.name ?? id;
}
