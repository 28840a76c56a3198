/** What a decision about telling looks at. */
import type { AlertClass, AlertEvent, AlertRoute, RouteMatch } from './alert.ts';
import type { Impact } from './incident.ts';
import type { MaintenanceWindow } from './maintenance.ts';

/** One subject on one channel. Times in ms since epoch. */
export interface Thread {
	readonly subjectId: string;
	readonly channel: string;
	readonly class: AlertClass;
	/** How the subject stands by its newest transition. */
	readonly state: 'open' | 'resolved';
	readonly transition: number;
	/** Its newest transition of the kind opened or reopened, and when that was committed. */
	readonly openTransition: number;
	readonly openedAt: number;
	/** When the newest transition was committed. */
	readonly changedAt: number;
	readonly event: AlertEvent;
	readonly told: 'nothing' | 'open' | 'resolved';
	/** Null: nothing was told. */
	readonly toldTransition: number | null;
	readonly toldAt: number | null;
	/** Where it was told; null: nowhere yet. */
	readonly groupId: string | null;
	/** Messages of that group that did not get through yet. */
	readonly pendingCount: number;
	readonly via: 'route' | 'escalation' | 'fallback';
}

/** Trouble that a channel was told of, from its first message to the end of its last member. */
export interface Group {
	readonly id: string;
	readonly channel: string;
	/** What it is grouped by. */
	readonly key: string;
	readonly open: boolean;
	readonly lastMessageAt: number;
	readonly worstImpact: Impact;
	/** Messages that did not get through yet. */
	readonly pendingCount: number;
}

export interface Silence {
	readonly id: string;
	readonly match: RouteMatch;
	readonly fromAt: number;
	readonly untilAt: number;
}

export interface PlanInput {
	readonly now: number;
	readonly threads: readonly Thread[];
	readonly groups: readonly Group[];
	readonly routes: readonly AlertRoute[];
	/** Those that hold now. */
	readonly silences: readonly Silence[];
	/** Those that hold now. */
	readonly maintenances: readonly MaintenanceWindow[];
	/** Subject id → transition through which it is acknowledged. */
	readonly acknowledged: ReadonlyMap<string, number>;
	/** Channels whose service must be told again this often while something is open, ms. */
	readonly resendEveryMs: ReadonlyMap<string, number>;
}

export type HoldReason =
	| { readonly kind: 'silence'; readonly id: string }
	| { readonly kind: 'maintenance'; readonly id: string }
	| { readonly kind: 'quiet_hours' }
	/** A broader incident of the same kind is told on the same channel. */
	| { readonly kind: 'inhibited'; readonly by: string };

export interface Hold {
	readonly subjectId: string;
	readonly channel: string;
	readonly reason: HoldReason;
}
