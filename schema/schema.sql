-- What schema/migrations amount to; `python -m uet_tui.store.schema` prints it. A new store is made from it.

PRAGMA application_id = 1969583219;

BEGIN;

CREATE TABLE attempts (
	run VARCHAR NOT NULL,
	workstream VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	worker INTEGER NOT NULL,
	agent TEXT NOT NULL,
	model TEXT NOT NULL,
	base_commit VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	state VARCHAR(16) NOT NULL,
	reserved_usd FLOAT NOT NULL,
	cost_usd FLOAT NOT NULL,
	tokens_in INTEGER NOT NULL,
	tokens_out INTEGER NOT NULL,
	started_at DATETIME,
	ended_at DATETIME,
	exit_code INTEGER,
	error TEXT NOT NULL,
	"commit" VARCHAR,
	kill_asked BOOLEAN NOT NULL, kill_reason TEXT DEFAULT '' NOT NULL, provider TEXT DEFAULT '' NOT NULL, tokens_cached INTEGER DEFAULT 0 NOT NULL, tokens_reasoning INTEGER DEFAULT 0 NOT NULL, reports INTEGER DEFAULT 0 NOT NULL, unpriced INTEGER DEFAULT 0 NOT NULL, estimated_tokens INTEGER DEFAULT 0 NOT NULL, estimated_usd FLOAT DEFAULT 0 NOT NULL, fault VARCHAR(16), frozen_at DATETIME,
	CONSTRAINT pk_attempts PRIMARY KEY (run, workstream, number),
	CONSTRAINT fk_attempts_workstreams FOREIGN KEY(run, workstream) REFERENCES workstreams (run, id) ON DELETE CASCADE
);

CREATE TABLE cost_tracking (
	id INTEGER NOT NULL,
	run VARCHAR NOT NULL,
	workstream VARCHAR NOT NULL,
	attempt INTEGER NOT NULL,
	time DATETIME NOT NULL,
	agent TEXT NOT NULL,
	model TEXT NOT NULL,
	usd FLOAT NOT NULL,
	tokens_in INTEGER NOT NULL,
	tokens_out INTEGER NOT NULL, tokens_cached INTEGER DEFAULT 0 NOT NULL, tokens_reasoning INTEGER DEFAULT 0 NOT NULL, estimated BOOLEAN DEFAULT 0 NOT NULL, priced BOOLEAN DEFAULT 1 NOT NULL, "conflict" VARCHAR DEFAULT '' NOT NULL, ask INTEGER DEFAULT 0 NOT NULL, number INTEGER DEFAULT 1 NOT NULL, provider TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_cost_tracking PRIMARY KEY (id),
	CONSTRAINT ck_cost_tracking_usd_not_negative CHECK (usd >= 0),
	CONSTRAINT fk_cost_tracking_attempts FOREIGN KEY(run, workstream, attempt) REFERENCES attempts (run, workstream, number) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_cost_tracking_report ON cost_tracking (run, workstream, attempt, "conflict", ask, number);

CREATE INDEX ix_cost_tracking_run_time ON cost_tracking (run, time);

CREATE TABLE execution_checkpoints (
	run VARCHAR NOT NULL,
	revision INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	state JSON NOT NULL,
	CONSTRAINT pk_execution_checkpoints PRIMARY KEY (run),
	CONSTRAINT fk_execution_checkpoints_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE gate_results (
	id INTEGER NOT NULL,
	run VARCHAR NOT NULL,
	workstream VARCHAR NOT NULL,
	attempt INTEGER NOT NULL,
	time DATETIME NOT NULL,
	gate TEXT NOT NULL,
	"where" VARCHAR NOT NULL,
	verdict VARCHAR NOT NULL,
	seconds FLOAT NOT NULL,
	output TEXT NOT NULL, tree VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_gate_results PRIMARY KEY (id),
	CONSTRAINT fk_gate_results_attempts FOREIGN KEY(run, workstream, attempt) REFERENCES attempts (run, workstream, number) ON DELETE CASCADE
);

CREATE INDEX ix_gate_results_run_workstream_attempt ON gate_results (run, workstream, attempt);

CREATE TABLE "merge_conflicts" (
	run VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	workstream VARCHAR NOT NULL,
	attempt INTEGER NOT NULL,
	ours_commit VARCHAR NOT NULL,
	theirs_commit VARCHAR NOT NULL,
	files JSON NOT NULL,
	against JSON NOT NULL,
	opened_at DATETIME NOT NULL,
	state VARCHAR(16) NOT NULL,
	proposal TEXT,
	closed_at DATETIME,
	tree VARCHAR,
	"by" TEXT NOT NULL,
	tried JSON DEFAULT '[]' NOT NULL,
	gates JSON DEFAULT '[]' NOT NULL,
	note TEXT DEFAULT ('') NOT NULL,
	"deferred" BOOLEAN DEFAULT 0 NOT NULL,
	asks INTEGER DEFAULT 0 NOT NULL,
	asking BOOLEAN DEFAULT 0 NOT NULL,
	climbing BOOLEAN DEFAULT 0 NOT NULL,
	reserved_usd FLOAT DEFAULT 0 NOT NULL,
	asked JSON DEFAULT '[]' NOT NULL,
	CONSTRAINT pk_merge_conflicts PRIMARY KEY (run, id),
	CONSTRAINT fk_merge_conflicts_workstreams FOREIGN KEY(run, workstream) REFERENCES workstreams (run, id) ON DELETE CASCADE
);

CREATE TABLE merge_forecast (
	run VARCHAR NOT NULL,
	first VARCHAR NOT NULL,
	second VARCHAR NOT NULL,
	verdict VARCHAR NOT NULL,
	files JSON NOT NULL,
	since DATETIME NOT NULL,
	CONSTRAINT pk_merge_forecast PRIMARY KEY (run, first, second),
	CONSTRAINT fk_merge_forecast_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE operator_commands (
	run VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	verb VARCHAR(16) NOT NULL,
	arguments JSON NOT NULL,
	note TEXT NOT NULL,
	"by" TEXT NOT NULL,
	source TEXT NOT NULL,
	at DATETIME NOT NULL,
	ok BOOLEAN NOT NULL,
	message TEXT NOT NULL,
	CONSTRAINT pk_operator_commands PRIMARY KEY (run, id),
	CONSTRAINT fk_operator_commands_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE providers (
	run VARCHAR NOT NULL,
	name TEXT NOT NULL,
	since DATETIME NOT NULL,
	state VARCHAR(16) NOT NULL,
	until DATETIME,
	reason TEXT NOT NULL,
	pauses INTEGER NOT NULL,
	"limit" INTEGER,
	CONSTRAINT pk_providers PRIMARY KEY (run, name),
	CONSTRAINT fk_providers_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE runs (
	id VARCHAR NOT NULL,
	name TEXT NOT NULL,
	schedule VARCHAR NOT NULL,
	parallelism INTEGER NOT NULL,
	base_commit VARCHAR NOT NULL,
	tip VARCHAR NOT NULL,
	target_branch TEXT,
	created_at DATETIME NOT NULL,
	state VARCHAR(16) NOT NULL,
	reason TEXT NOT NULL,
	spent_usd FLOAT NOT NULL,
	reserved_usd FLOAT NOT NULL,
	budget_usd FLOAT,
	started_at DATETIME,
	ended_at DATETIME,
	landed_at DATETIME,
	landed_commit VARCHAR,
	owner_token VARCHAR,
	owner_pid INTEGER,
	revision INTEGER NOT NULL, phase_budget_usd FLOAT, task_budget_usd FLOAT, budget_stage VARCHAR(16) DEFAULT 'ok' NOT NULL, budget_note TEXT DEFAULT '' NOT NULL, wide INTEGER, overrides JSON DEFAULT '[]' NOT NULL,
	CONSTRAINT pk_runs PRIMARY KEY (id)
);

CREATE TABLE schema_meta (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT schema_meta_pkc PRIMARY KEY (version_num)
);

CREATE TABLE uet_events (
	id INTEGER NOT NULL,
	run VARCHAR NOT NULL,
	time DATETIME NOT NULL,
	type TEXT NOT NULL,
	severity VARCHAR NOT NULL,
	workstream VARCHAR,
	worker INTEGER,
	attempt INTEGER,
	text TEXT NOT NULL,
	data JSON NOT NULL,
	CONSTRAINT pk_uet_events PRIMARY KEY (id),
	CONSTRAINT fk_uet_events_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX ix_uet_events_run_id ON uet_events (run, id);

CREATE INDEX ix_uet_events_run_workstream_id ON uet_events (run, workstream, id);

CREATE TABLE workers (
	run VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	since DATETIME NOT NULL,
	state VARCHAR(16) NOT NULL,
	workstream VARCHAR,
	agent TEXT NOT NULL,
	doing TEXT NOT NULL,
	CONSTRAINT pk_workers PRIMARY KEY (run, number),
	CONSTRAINT fk_workers_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE workstreams (
	run VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	declaration JSON NOT NULL,
	wave INTEGER NOT NULL,
	agent TEXT NOT NULL,
	model TEXT NOT NULL,
	state VARCHAR(16) NOT NULL,
	reason TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	worker INTEGER,
	retry_at DATETIME,
	cost_usd FLOAT NOT NULL,
	started_at DATETIME,
	ended_at DATETIME,
	result_commit VARCHAR,
	merge_commit VARCHAR,
	merge_onto VARCHAR,
	"conflict" VARCHAR,
	error_signature TEXT NOT NULL,
	error_repeats INTEGER NOT NULL,
	result_tree VARCHAR NOT NULL,
	result_repeats INTEGER NOT NULL,
	granted_attempts INTEGER NOT NULL,
	note TEXT NOT NULL, wish TEXT DEFAULT '' NOT NULL, queued_at DATETIME, overtaken INTEGER DEFAULT 0 NOT NULL, held BOOLEAN DEFAULT 0 NOT NULL, first BOOLEAN DEFAULT 0 NOT NULL, context_share FLOAT DEFAULT 1 NOT NULL,
	CONSTRAINT pk_workstreams PRIMARY KEY (run, id),
	CONSTRAINT fk_workstreams_runs FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);

INSERT INTO schema_meta VALUES ('0005');

COMMIT;
