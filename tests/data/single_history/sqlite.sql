BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0023');
CREATE TABLE attachment_usage (
	user_id CHAR(32) NOT NULL, 
	bytes BIGINT NOT NULL, 
	CONSTRAINT pk_attachment_usage PRIMARY KEY (user_id)
);
INSERT INTO "attachment_usage" VALUES('01a22b114cde7608a3322f0e9df33f6d',5);
CREATE TABLE attachments (
	id CHAR(32) NOT NULL, 
	task_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	content_type VARCHAR(100) NOT NULL, 
	size BIGINT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_attachments PRIMARY KEY (id)
);
INSERT INTO "attachments" VALUES('01a22b11500071fca44d6bb9538a59f3','01a22b114fed7259817431b1a6d5f623','01a22b114cde7608a3322f0e9df33f6d','a.txt','text/plain',5,'2026-11-30 06:08:04.629561');
CREATE TABLE audit_log (
	id CHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	actor_id CHAR(32), 
	action VARCHAR(50) NOT NULL, 
	subject_id CHAR(32), 
	remote VARCHAR(64) NOT NULL, 
	details JSON NOT NULL, 
	CONSTRAINT pk_audit_log PRIMARY KEY (id)
);
INSERT INTO "audit_log" VALUES('01a22b1151a1753e89bb91199bc870eb','2026-11-30 06:08:05.025132',NULL,'user.role','01a22b114cde7608a3322f0e9df33f6d','','{"from": "user", "to": "admin"}');
INSERT INTO "audit_log" VALUES('01a22b1151dd7753ba4c2032bd4bfd80','2026-11-30 06:08:05.082520','01a22b114f01752ebec061b0c15a65d8','user.delete','01a22b114f01752ebec061b0c15a65d8','127.0.0.1','{}');
CREATE TABLE daily_counts (
	user_id CHAR(32) NOT NULL, 
	day DATE NOT NULL, 
	created INTEGER NOT NULL, 
	completed INTEGER NOT NULL, 
	CONSTRAINT pk_daily_counts PRIMARY KEY (user_id, day)
);
CREATE TABLE deleted_users (
	user_id CHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_deleted_users PRIMARY KEY (user_id)
);
INSERT INTO "deleted_users" VALUES('01a22b114f01752ebec061b0c15a65d8','2026-11-30 06:08:05.082520');
CREATE TABLE failed_deliveries (
	consumer VARCHAR(40) NOT NULL, 
	event_id CHAR(32) NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	user_id CHAR(32), 
	at DATETIME NOT NULL, 
	payload JSON NOT NULL, 
	failures INTEGER NOT NULL, 
	error VARCHAR(100) NOT NULL, 
	due_at DATETIME, traceparent VARCHAR(55), 
	CONSTRAINT pk_failed_deliveries PRIMARY KEY (consumer, event_id)
);
CREATE TABLE handled_events (
	consumer VARCHAR(40) NOT NULL, 
	event_id CHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_handled_events PRIMARY KEY (consumer, event_id)
);
INSERT INTO "handled_events" VALUES('notifications.recipients','01a22b114d1676c9a5378e5c2f4cc4d1','2026-11-30 06:08:04.899149');
INSERT INTO "handled_events" VALUES('notifications.recipients','01a22b114ec6709b9ceeaaeca2f07041','2026-11-30 06:08:04.899149');
INSERT INTO "handled_events" VALUES('notifications.recipients','01a22b114f0674a5a4f337b1db5bb0a3','2026-11-30 06:08:04.899149');
INSERT INTO "handled_events" VALUES('notifications.reminders','01a22b115111702cab0b3f66e1e0c425','2026-11-30 06:08:04.908225');
INSERT INTO "handled_events" VALUES('analytics','01a22b114f4672df80c31a5b0ba98356','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114f6e73749231ea7fc82673dc','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114f83734f89cea9ade550a836','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114fb07589a123caa22f10c6ad','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114fb6702eb7a5a909d05e3479','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114fbd70d28e6b1286640931a1','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114fc8710798f4d3ed9256383f','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114fd670928c7f12e1596a7f50','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b114fed7259817431b2218c3bc7','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('analytics','01a22b1150fe733dbc926eee998592e6','2026-11-30 06:08:04.913634');
INSERT INTO "handled_events" VALUES('tasks.erasure','01a22b1151dc71eaa6f0a2bbafddfb87','2026-11-30 06:08:05.096853');
INSERT INTO "handled_events" VALUES('notifications.erasure','01a22b1151dc71eaa6f0a2bbafddfb87','2026-11-30 06:08:05.103620');
INSERT INTO "handled_events" VALUES('analytics.erasure','01a22b1151dc71eaa6f0a2bbafddfb87','2026-11-30 06:08:05.105410');
INSERT INTO "handled_events" VALUES('jobs.erasure','01a22b1151dc71eaa6f0a2bbafddfb87','2026-11-30 06:08:05.113776');
CREATE TABLE idempotency_keys (
	user_id CHAR(32) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	result JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, "key")
);
INSERT INTO "idempotency_keys" VALUES('01a22b114cde7608a3322f0e9df33f6d','key-1','695a5a6eb9df06f54d815c5799600111708f4ff99abb731eab9114295a441a1d','{"id": "01a22b11-50fa-7172-a09e-697d98005c26", "user_id": "01a22b11-4cde-7608-a332-2f0e9df33f6d", "title": "Once", "description": "", "status": "todo", "due_at": null, "created_at": "2026-11-30T06:08:04.858258Z", "updated_at": "2026-11-30T06:08:04.858258Z", "version": 1, "tags": [], "remind_at": null, "attachments": 0}','2026-11-30 06:08:04.864571');
CREATE TABLE job_files (
	job_id CHAR(32) NOT NULL, 
	name VARCHAR(20) NOT NULL, 
	position INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_job_files PRIMARY KEY (job_id, name, position)
);
CREATE TABLE job_refused_lines (
	job_id CHAR(32) NOT NULL, 
	line BIGINT NOT NULL, 
	reason VARCHAR(200) NOT NULL, 
	text VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_job_refused_lines PRIMARY KEY (job_id, line)
);
CREATE TABLE jobs (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32), 
	kind VARCHAR(40) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	parameters JSON NOT NULL, 
	checkpoint JSON NOT NULL, 
	done BIGINT NOT NULL, 
	total BIGINT, 
	refused BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	cancelling BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	error VARCHAR(500), 
	due_at DATETIME NOT NULL, 
	announced_at DATETIME, 
	lease CHAR(32), 
	unique_key VARCHAR(100), traceparent VARCHAR(55), rejected BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('01a22b11512e70b3803aca3e82a86f0b',NULL,'reminder','queued','{"notification_id": "01a22b11-5111-702c-ab0b-3f66e1e0c425"}','{}',0,NULL,0,0,0,'2026-11-30 06:08:04.910548',NULL,NULL,NULL,'2026-11-30 06:08:04.910548',NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('01a22b1151ee74fc9847b441248bdfc5',NULL,'erasure','queued','{"service": "tasks", "user": "01a22b11-4f01-752e-bec0-61b0c15a65d8"}','{}',0,NULL,0,0,0,'2026-11-30 06:08:05.102685',NULL,NULL,NULL,'2026-11-30 06:08:05.102685',NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('01a22b1151f0765a8d491f9ed288d35c',NULL,'erasure','queued','{"service": "notifications", "user": "01a22b11-4f01-752e-bec0-61b0c15a65d8"}','{}',0,NULL,0,0,0,'2026-11-30 06:08:05.104637',NULL,NULL,NULL,'2026-11-30 06:08:05.104637',NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('01a22b1151f87346a1942045246ec188',NULL,'erasure','queued','{"service": "analytics", "user": "01a22b11-4f01-752e-bec0-61b0c15a65d8"}','{}',0,NULL,0,0,0,'2026-11-30 06:08:05.112905',NULL,NULL,NULL,'2026-11-30 06:08:05.112905',NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('01a22b1151fa76c8a0d1fbdb1e2ee8ae',NULL,'erasure','queued','{"service": "jobs", "user": "01a22b11-4f01-752e-bec0-61b0c15a65d8"}','{}',0,NULL,0,0,0,'2026-11-30 06:08:05.114916',NULL,NULL,NULL,'2026-11-30 06:08:05.114916',NULL,NULL,NULL,NULL,0);
CREATE TABLE notification_preferences (
	user_id CHAR(32) NOT NULL, 
	reminder_mails BOOLEAN NOT NULL, 
	weekly_report BOOLEAN NOT NULL, 
	CONSTRAINT pk_notification_preferences PRIMARY KEY (user_id)
);
INSERT INTO "notification_preferences" VALUES('01a22b114cde7608a3322f0e9df33f6d',1,1);
CREATE TABLE notifications (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	task_id CHAR(32) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	read_at DATETIME, 
	CONSTRAINT pk_notifications PRIMARY KEY (id)
);
INSERT INTO "notifications" VALUES('01a22b115111702cab0b3f66e1e0c425','01a22b114cde7608a3322f0e9df33f6d','reminder','01a22b114fed7259817431b1a6d5f623','Remind me','2026-11-30 06:08:04.873387',NULL);
CREATE TABLE object_pieces (
	"key" CHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_object_pieces PRIMARY KEY ("key", position)
);
INSERT INTO "object_pieces" VALUES('01a22b11500071fca44d6bb9538a59f3',0,X'68656C6C6F');
INSERT INTO "object_pieces" VALUES('01a22b1150b977b4a0e9beca7525ca65',0,X'52494646C20000005745425056503820B60000007011009D012A000100013E5128924723A2A1A1202800700A09696EE176B11EDC07E00000159BB5E2E4E43DF6C9C87BED9390F7DB2721EFB64E43DF6C9C87BED9390F7DB2721EFB64E43DF6C9C87BED9390F7DB2721EFB64E43DF6C9C87BED9390F7DB2721EFB64E43DF6C9C87BED9390F7DB2721EFB64E43DF6C9C87BED9390F7DB2721EFB64E43DF6C9C87BED9390F7DB271FC000FEFF7E5DFFFFE6095F906ED43FFFFD0A1FD0A1FD0A1FFD04800000000000000000');
CREATE TABLE objects (
	"key" CHAR(32) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	content_type VARCHAR(100) NOT NULL, 
	size BIGINT NOT NULL, 
	loose_from DATETIME, 
	CONSTRAINT pk_objects PRIMARY KEY ("key")
);
INSERT INTO "objects" VALUES('01a22b11500071fca44d6bb9538a59f3','a.txt','text/plain',5,NULL);
INSERT INTO "objects" VALUES('01a22b1150b977b4a0e9beca7525ca65','avatar.webp','image/webp',202,NULL);
CREATE TABLE outbox (
	id CHAR(32) NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	user_id CHAR(32), 
	at DATETIME NOT NULL, 
	payload JSON NOT NULL, carried_at DATETIME, traceparent VARCHAR(55), 
	CONSTRAINT pk_outbox PRIMARY KEY (id)
);
INSERT INTO "outbox" VALUES('01a22b114d1676c9a5378e5c2f4cc4d1','user.registered','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:03.806764','{"email": "ada@example.org", "name": "Somebody", "verified": false}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114ec6709b9ceeaaeca2f07041','user.registered','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:04.293254','{"email": "bob@example.org", "name": "Somebody", "verified": false}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114f0674a5a4f337b1db5bb0a3','user.registered','01a22b114f01752ebec061b0c15a65d8','2026-11-30 06:08:04.353653','{"email": "eve@example.org", "name": "Somebody", "verified": false}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114f4672df80c31a5b0ba98356','task.created','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.406904','{"task_id": "01a22b11-4f36-71b7-b567-6b320849b041", "version": 1, "title": "Task 0", "created_at": "2026-11-30T06:08:04.406904+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114f6e73749231ea7fc82673dc','task.created','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.453636','{"task_id": "01a22b11-4f65-71fb-8de1-5e35c1ac197e", "version": 1, "title": "Task 1", "created_at": "2026-11-30T06:08:04.453636+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114f83734f89cea9ade550a836','task.created','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.483636','{"task_id": "01a22b11-4f83-734f-89ce-a9ac42a1edb2", "version": 1, "title": "Task 2", "created_at": "2026-11-30T06:08:04.483636+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114fb07589a123caa22f10c6ad','task.completed','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.512603','{"task_id": "01a22b11-4f83-734f-89ce-a9ac42a1edb2", "version": 2, "title": "Task 2", "created_at": "2026-11-30T06:08:04.483636+00:00", "status": "done", "due_at": null, "remind_at": null, "was": {"status": "todo", "due_at": null, "remind_at": null}}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114fb6702eb7a5a909d05e3479','task.created','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:04.533864','{"task_id": "01a22b11-4fb5-7108-8858-03ed6ed6be78", "version": 1, "title": "Task 0", "created_at": "2026-11-30T06:08:04.533864+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114fbd70d28e6b1286640931a1','task.created','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:04.540862','{"task_id": "01a22b11-4fbc-773a-accd-090a8661b049", "version": 1, "title": "Task 1", "created_at": "2026-11-30T06:08:04.540862+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114fc8710798f4d3ed9256383f','task.created','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:04.551864','{"task_id": "01a22b11-4fc7-700a-b15b-095ce7d660bb", "version": 1, "title": "Task 2", "created_at": "2026-11-30T06:08:04.551864+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114fd670928c7f12e1596a7f50','task.completed','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:04.561578','{"task_id": "01a22b11-4fc7-700a-b15b-095ce7d660bb", "version": 2, "title": "Task 2", "created_at": "2026-11-30T06:08:04.551864+00:00", "status": "done", "due_at": null, "remind_at": null, "was": {"status": "todo", "due_at": null, "remind_at": null}}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b114fed7259817431b2218c3bc7','task.created','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.589028','{"task_id": "01a22b11-4fed-7259-8174-31b1a6d5f623", "version": 1, "title": "Remind me", "created_at": "2026-11-30T06:08:04.589028+00:00", "status": "todo", "due_at": null, "remind_at": "2026-11-30T06:07:04.587264+00:00"}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b1150fe733dbc926eee998592e6','task.created','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.858258','{"task_id": "01a22b11-50fa-7172-a09e-697d98005c26", "version": 1, "title": "Once", "created_at": "2026-11-30T06:08:04.858258+00:00", "status": "todo", "due_at": null, "remind_at": null}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b115111702cab0b3f66e1e0c425','task.reminder_due','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.873387','{"task_id": "01a22b11-4fed-7259-8174-31b1a6d5f623", "version": 2, "title": "Remind me", "created_at": "2026-11-30T06:08:04.589028+00:00", "status": "todo", "due_at": null, "remind_at": "2026-11-30T06:07:04.587264+00:00"}','2026-11-30 06:08:04.946037',NULL);
INSERT INTO "outbox" VALUES('01a22b1151dc71eaa6f0a2bbafddfb87','user.deleted','01a22b114f01752ebec061b0c15a65d8','2026-11-30 06:08:05.082520','{}','2026-11-30 06:08:05.119221',NULL);
INSERT INTO "outbox" VALUES('01a22b11520972ab94b3f548502ddc5e','task.created','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:05.129133','{"task_id": "01a22b11-5209-72ab-94b3-f547c9c1bf3a", "version": 1, "title": "Not yet relayed", "created_at": "2026-11-30T06:08:05.129133+00:00", "status": "todo", "due_at": null, "remind_at": null}',NULL,NULL);
CREATE TABLE password_resets (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32), 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT pk_password_resets PRIMARY KEY (id), 
	CONSTRAINT fk_password_resets_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE recipients (
	user_id CHAR(32) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	at DATETIME NOT NULL, verified BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_recipients PRIMARY KEY (user_id)
);
INSERT INTO "recipients" VALUES('01a22b114cde7608a3322f0e9df33f6d','ada@example.org','Somebody','2026-11-30 06:08:03.806764',0);
INSERT INTO "recipients" VALUES('01a22b114ec57274af8c79bf3849e1b2','bob@example.org','Somebody','2026-11-30 06:08:04.293254',0);
INSERT INTO "recipients" VALUES('01a22b114f01752ebec061b0c15a65d8','eve@example.org','Somebody','2026-11-30 06:08:04.353653',0);
CREATE TABLE refresh_tokens (
	id CHAR(32) NOT NULL, 
	session_id CHAR(32) NOT NULL, 
	secret_hash BLOB NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
INSERT INTO "refresh_tokens" VALUES('01a22b114eb47781a2c4f5a8d61395c0','01a22b114eaf72d3b589861b2321dafc',X'1902C491FE36AC40E1B8DB512AEBA27EC1390AAA2D2AF2A76F358C3A597EB230','2026-12-30 06:08:04.271278',NULL);
INSERT INTO "refresh_tokens" VALUES('01a22b114ee6714e92f81751f7c1f8bd','01a22b114edc736bac6169c011478fad',X'5EB9DD2EB91BF1BAAD4DE2747E185B82BEF29CC4AA1CE74A122E2FF5BB64A417','2026-12-30 06:08:04.316766',NULL);
INSERT INTO "refresh_tokens" VALUES('01a22b1151c377e9b6788146a172ac98','01a22b1151c2744c87e67edaf673f3d9',X'DFEBC8E07304880B33D998033BBC26C64B1918379FE113354B75B903A970DA16','2026-12-30 06:08:05.058292',NULL);
CREATE TABLE sessions (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	created_at DATETIME NOT NULL, 
	revoked_at DATETIME, last_used_at DATETIME, 
	CONSTRAINT pk_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES('01a22b114eaf72d3b589861b2321dafc','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:04.271278','2026-11-30 06:08:05.040542','2026-11-30 06:08:04.271278');
INSERT INTO "sessions" VALUES('01a22b114edc736bac6169c011478fad','01a22b114ec57274af8c79bf3849e1b2','2026-11-30 06:08:04.316766',NULL,'2026-11-30 06:08:04.316766');
INSERT INTO "sessions" VALUES('01a22b1151c2744c87e67edaf673f3d9','01a22b114cde7608a3322f0e9df33f6d','2026-11-30 06:08:05.058292',NULL,'2026-11-30 06:08:05.058292');
CREATE TABLE task_facts (
	task_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	due_at DATETIME, 
	created_at DATETIME NOT NULL, 
	completed_version INTEGER NOT NULL, 
	completed_at DATETIME, 
	deleted_at DATETIME, 
	created_on DATE NOT NULL, 
	completed_on DATE, 
	seconds_to_completion BIGINT, 
	CONSTRAINT pk_task_facts PRIMARY KEY (task_id)
);
INSERT INTO "task_facts" VALUES('01a22b114f3671b7b5676b320849b041','01a22b114cde7608a3322f0e9df33f6d',1,'Task 0','todo',NULL,'2026-11-30 06:08:04.406904',0,NULL,NULL,'2026-11-30',NULL,NULL);
INSERT INTO "task_facts" VALUES('01a22b114f6571fb8de15e35c1ac197e','01a22b114cde7608a3322f0e9df33f6d',1,'Task 1','todo',NULL,'2026-11-30 06:08:04.453636',0,NULL,NULL,'2026-11-30',NULL,NULL);
INSERT INTO "task_facts" VALUES('01a22b114f83734f89cea9ac42a1edb2','01a22b114cde7608a3322f0e9df33f6d',2,'Task 2','done',NULL,'2026-11-30 06:08:04.483636',2,'2026-11-30 06:08:04.512603',NULL,'2026-11-30','2026-11-30',0);
INSERT INTO "task_facts" VALUES('01a22b114fb57108885803ed6ed6be78','01a22b114ec57274af8c79bf3849e1b2',1,'Task 0','todo',NULL,'2026-11-30 06:08:04.533864',0,NULL,NULL,'2026-11-30',NULL,NULL);
INSERT INTO "task_facts" VALUES('01a22b114fbc773aaccd090a8661b049','01a22b114ec57274af8c79bf3849e1b2',1,'Task 1','todo',NULL,'2026-11-30 06:08:04.540862',0,NULL,NULL,'2026-11-30',NULL,NULL);
INSERT INTO "task_facts" VALUES('01a22b114fc7700ab15b095ce7d660bb','01a22b114ec57274af8c79bf3849e1b2',2,'Task 2','done',NULL,'2026-11-30 06:08:04.551864',2,'2026-11-30 06:08:04.561578',NULL,'2026-11-30','2026-11-30',0);
INSERT INTO "task_facts" VALUES('01a22b114fed7259817431b1a6d5f623','01a22b114cde7608a3322f0e9df33f6d',1,'Remind me','todo',NULL,'2026-11-30 06:08:04.589028',0,NULL,NULL,'2026-11-30',NULL,NULL);
INSERT INTO "task_facts" VALUES('01a22b1150fa7172a09e697d98005c26','01a22b114cde7608a3322f0e9df33f6d',1,'Once','todo',NULL,'2026-11-30 06:08:04.858258',0,NULL,NULL,'2026-11-30',NULL,NULL);
CREATE TABLE task_tags (
	task_id CHAR(32) NOT NULL, 
	tag TEXT NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_task_tags PRIMARY KEY (task_id, tag), 
	CONSTRAINT fk_task_tags_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "task_tags" VALUES('01a22b114f3671b7b5676b320849b041','home','01a22b114cde7608a3322f0e9df33f6d');
INSERT INTO "task_tags" VALUES('01a22b114f3671b7b5676b320849b041','n0','01a22b114cde7608a3322f0e9df33f6d');
INSERT INTO "task_tags" VALUES('01a22b114f6571fb8de15e35c1ac197e','home','01a22b114cde7608a3322f0e9df33f6d');
INSERT INTO "task_tags" VALUES('01a22b114f6571fb8de15e35c1ac197e','n1','01a22b114cde7608a3322f0e9df33f6d');
INSERT INTO "task_tags" VALUES('01a22b114f83734f89cea9ac42a1edb2','home','01a22b114cde7608a3322f0e9df33f6d');
INSERT INTO "task_tags" VALUES('01a22b114f83734f89cea9ac42a1edb2','n2','01a22b114cde7608a3322f0e9df33f6d');
INSERT INTO "task_tags" VALUES('01a22b114fb57108885803ed6ed6be78','home','01a22b114ec57274af8c79bf3849e1b2');
INSERT INTO "task_tags" VALUES('01a22b114fb57108885803ed6ed6be78','n0','01a22b114ec57274af8c79bf3849e1b2');
INSERT INTO "task_tags" VALUES('01a22b114fbc773aaccd090a8661b049','home','01a22b114ec57274af8c79bf3849e1b2');
INSERT INTO "task_tags" VALUES('01a22b114fbc773aaccd090a8661b049','n1','01a22b114ec57274af8c79bf3849e1b2');
INSERT INTO "task_tags" VALUES('01a22b114fc7700ab15b095ce7d660bb','home','01a22b114ec57274af8c79bf3849e1b2');
INSERT INTO "task_tags" VALUES('01a22b114fc7700ab15b095ce7d660bb','n2','01a22b114ec57274af8c79bf3849e1b2');
CREATE TABLE tasks (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	description TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	due_at DATETIME, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	version INTEGER NOT NULL, 
	title_key TEXT NOT NULL, 
	search_text TEXT NOT NULL, remind_at DATETIME, attachments INTEGER DEFAULT '0' NOT NULL, reminded_for DATETIME, 
	CONSTRAINT pk_tasks PRIMARY KEY (id), 
	CONSTRAINT ck_tasks_ck_tasks_status CHECK (status IN ('todo', 'in_progress', 'done'))
);
INSERT INTO "tasks" VALUES('01a22b114f3671b7b5676b320849b041','01a22b114cde7608a3322f0e9df33f6d','Task 0','','todo',NULL,'2026-11-30 06:08:04.406904','2026-11-30 06:08:04.406904',1,'task 0','task 0
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b114f6571fb8de15e35c1ac197e','01a22b114cde7608a3322f0e9df33f6d','Task 1','','todo',NULL,'2026-11-30 06:08:04.453636','2026-11-30 06:08:04.453636',1,'task 1','task 1
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b114f83734f89cea9ac42a1edb2','01a22b114cde7608a3322f0e9df33f6d','Task 2','','done',NULL,'2026-11-30 06:08:04.483636','2026-11-30 06:08:04.512603',2,'task 2','task 2
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b114fb57108885803ed6ed6be78','01a22b114ec57274af8c79bf3849e1b2','Task 0','','todo',NULL,'2026-11-30 06:08:04.533864','2026-11-30 06:08:04.533864',1,'task 0','task 0
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b114fbc773aaccd090a8661b049','01a22b114ec57274af8c79bf3849e1b2','Task 1','','todo',NULL,'2026-11-30 06:08:04.540862','2026-11-30 06:08:04.540862',1,'task 1','task 1
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b114fc7700ab15b095ce7d660bb','01a22b114ec57274af8c79bf3849e1b2','Task 2','','done',NULL,'2026-11-30 06:08:04.551864','2026-11-30 06:08:04.561578',2,'task 2','task 2
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b114fed7259817431b1a6d5f623','01a22b114cde7608a3322f0e9df33f6d','Remind me','','todo',NULL,'2026-11-30 06:08:04.589028','2026-11-30 06:08:04.633831',2,'remind me','remind me
','2026-11-30 06:07:04.587264',1,'2026-11-30 06:07:04.587264');
INSERT INTO "tasks" VALUES('01a22b1150fa7172a09e697d98005c26','01a22b114cde7608a3322f0e9df33f6d','Once','','todo',NULL,'2026-11-30 06:08:04.858258','2026-11-30 06:08:04.858258',1,'once','once
',NULL,0,NULL);
INSERT INTO "tasks" VALUES('01a22b11520972ab94b3f547c9c1bf3a','01a22b114ec57274af8c79bf3849e1b2','Not yet relayed','','todo',NULL,'2026-11-30 06:08:05.129133','2026-11-30 06:08:05.129133',1,'not yet relayed','not yet relayed
',NULL,0,NULL);
CREATE TABLE user_versions (
	user_id CHAR(32) NOT NULL, 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_user_versions PRIMARY KEY (user_id)
);
INSERT INTO "user_versions" VALUES('01a22b114cde7608a3322f0e9df33f6d',11);
INSERT INTO "user_versions" VALUES('01a22b114ec57274af8c79bf3849e1b2',6);
INSERT INTO "user_versions" VALUES('01a22b114f01752ebec061b0c15a65d8',1);
CREATE TABLE users (
	id CHAR(32) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	password_hash VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, role VARCHAR(20) DEFAULT 'user' NOT NULL, disabled_at DATETIME, avatar_id CHAR(32), verified_at DATETIME, 
	CONSTRAINT pk_users PRIMARY KEY (id)
);
INSERT INTO "users" VALUES('01a22b114cde7608a3322f0e9df33f6d','ada@example.org','Somebody','$argon2id$v=19$m=8,t=1,p=1$egfZyV6MEfWJ2aA7MJn+0g$bu94ZvulMmTgHuR4vCPkadBhIOt64Ay9FFr9hVLhiIY','2026-11-30 06:08:03.806764','admin',NULL,'01a22b1150b977b4a0e9beca7525ca65',NULL);
INSERT INTO "users" VALUES('01a22b114ec57274af8c79bf3849e1b2','bob@example.org','Somebody','$argon2id$v=19$m=8,t=1,p=1$waHKDH7/7YUvnpj8+mCJ1A$aQ8NYJQTZZJqB+uOb+i6o9BtSWVYjNVmTy0eLOLTpxs','2026-11-30 06:08:04.293254','user',NULL,NULL,NULL);
CREATE UNIQUE INDEX idx_users_email ON users (email);
CREATE INDEX idx_sessions_user_id ON sessions (user_id);
CREATE INDEX idx_refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE INDEX idx_refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX idx_tasks_user_id ON tasks (user_id);
CREATE INDEX idx_tasks_status ON tasks (status);
CREATE INDEX idx_tasks_created_at ON tasks (created_at DESC);
CREATE INDEX idx_tasks_user_status ON tasks (user_id, status);
CREATE INDEX idx_tasks_user_created ON tasks (user_id, created_at, id);
CREATE INDEX idx_tasks_user_updated ON tasks (user_id, updated_at, id);
CREATE INDEX idx_tasks_user_due ON tasks (user_id, due_at, id);
CREATE INDEX idx_tasks_user_title ON tasks (user_id, title_key, id);
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE INDEX idx_handled_events_at ON handled_events (at);
CREATE INDEX idx_task_tags_user_tag ON task_tags (user_id, tag, task_id);
CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX idx_jobs_user_id ON jobs (user_id, id);
CREATE INDEX idx_jobs_state_due ON jobs (state, due_at);
CREATE UNIQUE INDEX idx_jobs_unique_key ON jobs (unique_key);
CREATE INDEX idx_job_files_at ON job_files (at);
CREATE INDEX idx_objects_loose_from ON objects (loose_from) WHERE loose_from IS NOT NULL;
CREATE INDEX idx_attachments_task_id ON attachments (task_id, id);
CREATE INDEX idx_outbox_waiting ON outbox (id) WHERE carried_at IS NULL;
CREATE INDEX idx_outbox_carried_at ON outbox (carried_at);
CREATE INDEX idx_failed_deliveries_due_at ON failed_deliveries (due_at);
CREATE INDEX idx_password_resets_user_id ON password_resets (user_id);
CREATE INDEX idx_password_resets_expires_at ON password_resets (expires_at);
CREATE INDEX idx_tasks_reminders ON tasks (remind_at) WHERE remind_at IS NOT NULL AND status <> 'done' AND (reminded_for IS NULL OR reminded_for <> remind_at);
CREATE INDEX idx_notifications_user_id ON notifications (user_id, id);
CREATE INDEX idx_notifications_unread ON notifications (user_id) WHERE read_at IS NULL;
CREATE INDEX idx_notifications_created_at ON notifications (created_at);
CREATE INDEX idx_task_facts_user_created ON task_facts (user_id, created_on);
CREATE INDEX idx_task_facts_user_completed ON task_facts (user_id, completed_on);
CREATE INDEX idx_task_facts_user_status ON task_facts (user_id, status, due_at) WHERE deleted_at IS NULL;
CREATE INDEX idx_task_facts_deleted_at ON task_facts (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX idx_audit_log_at_id ON audit_log (at, id);
CREATE INDEX idx_audit_log_actor_id_at_id ON audit_log (actor_id, at, id);
CREATE INDEX idx_audit_log_action_at_id ON audit_log (action, at, id);
CREATE INDEX idx_sessions_last_used_at ON sessions (last_used_at);
CREATE INDEX idx_sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX idx_jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX idx_failed_deliveries_dead ON failed_deliveries (at) WHERE due_at IS NULL;
CREATE INDEX idx_deleted_users_at ON deleted_users (at);
CREATE INDEX idx_attachments_user_id ON attachments (user_id, id);
CREATE INDEX idx_audit_log_subject_id ON audit_log (subject_id, id);
COMMIT;
