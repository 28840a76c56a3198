/** What on-call says and asks, behind the admin routes and the command line alike. Bodies are read as the configuration is, strictly. */

/** What was expected, what came, where. */
export class BadSaying extends Error {}

/** Each may throw BadSaying; null: no such subject. What is returned is the answer's body. */
export interface OnCallDesk {
	/** `{by, text}` */
	note(incidentId: string, body: unknown): Promise<object | null>;
	/** `{by, why}` with `impact` and/or `cause`, or `falseAlarm: true`, or `withdraw: true` */
	override(incidentId: string, body: unknown): Promise<object | null>;
	/** Open alerts, what waits and why, dead letters, endpoints that want no more. */
	alerts(): Promise<object>;
	/** `{by, comment?}` */
	acknowledge(subjectId: string, body: unknown): Promise<object | null>;
	/** `{deliveries?: number[], channel?: string}`; neither: all dead letters. */
	replay(body: unknown): Promise<object>;
	/** As `replay`. */
	discard(body: unknown): Promise<object>;
	silences(): Promise<object>;
	/** `{match, from?, until or for, by, comment}` */
	silence(body: unknown): Promise<object>;
	endSilence(id: string): Promise<object | null>;
	maintenances(): Promise<object>;
	/** An entry of `maintenance:` in the file, with `by`. */
	announce(body: unknown): Promise<object>;
	cancelMaintenance(id: string): Promise<object | null>;
}
