import type { GroupView, Snapshot } from '#core/snapshot.ts';
import { fileSlug } from '#core/target.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';

/** A snapshot of 200 different targets times `copies`: the sample's 20 providers × 10 models, each model in so many versions. */
export function largeFleet(number: number, copies = 5): Snapshot {
	const base = sampleSnapshot({ providers: 20, modelsPerProvider: 10, hostile: false, number });
	const versions = Array.from({ length: copies }, (_, version) => version);
	const idOf = (id: string, version: number) => id.replace(/:(\w+)$/, `-v${version}:$1`);
	const idsOf = (group: GroupView) => versions.flatMap((version) => group.targetIds.map((id) => idOf(id, version)));
	return {
		...base,
		targets: versions.flatMap((version) =>
			base.targets.map((target) => {
				const id = idOf(target.id, version);
				return { ...target, id, slug: fileSlug(id), model: `${target.model}-v${version}` };
			}),
		),
		providers: base.providers.map((provider) => ({ ...provider, targetIds: idsOf(provider) })),
		models: versions.flatMap((version) =>
			base.models.map((model) => ({
				...model,
				id: `${model.id}-v${version}`,
				name: `${model.name}-v${version}`,
				targetIds: model.targetIds.map((id) => idOf(id, version)),
			})),
		),
	};
}
