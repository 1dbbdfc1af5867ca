SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.attachment_usage (
    user_id uuid NOT NULL,
    bytes bigint NOT NULL
);
CREATE TABLE public.attachments (
    id uuid NOT NULL,
    task_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name character varying(255) NOT NULL,
    content_type character varying(100) NOT NULL,
    size bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.audit_log (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_id uuid,
    action character varying(50) NOT NULL,
    subject_id uuid,
    remote character varying(64) NOT NULL,
    details json NOT NULL
);
CREATE TABLE public.daily_counts (
    user_id uuid NOT NULL,
    day date NOT NULL,
    created integer NOT NULL,
    completed integer NOT NULL
);
CREATE TABLE public.deleted_users (
    user_id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.failed_deliveries (
    consumer character varying(40) NOT NULL,
    event_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    user_id uuid,
    at timestamp with time zone NOT NULL,
    payload json NOT NULL,
    failures integer NOT NULL,
    error character varying(100) NOT NULL,
    due_at timestamp with time zone,
    traceparent character varying(55)
);
CREATE TABLE public.handled_events (
    consumer character varying(40) NOT NULL,
    event_id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.idempotency_keys (
    user_id uuid NOT NULL,
    key character varying(255) NOT NULL,
    digest character varying(64) NOT NULL,
    result json NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.job_files (
    job_id uuid NOT NULL,
    name character varying(20) NOT NULL,
    "position" integer NOT NULL,
    data bytea NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.job_refused_lines (
    job_id uuid NOT NULL,
    line bigint NOT NULL,
    reason character varying(200) NOT NULL,
    text character varying(200) NOT NULL
);
CREATE TABLE public.jobs (
    id uuid NOT NULL,
    user_id uuid,
    kind character varying(40) NOT NULL,
    state character varying(20) NOT NULL,
    parameters json NOT NULL,
    checkpoint json NOT NULL,
    done bigint NOT NULL,
    total bigint,
    refused bigint NOT NULL,
    attempts integer NOT NULL,
    cancelling boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    error character varying(500),
    due_at timestamp with time zone NOT NULL,
    announced_at timestamp with time zone,
    lease uuid,
    unique_key character varying(100),
    traceparent character varying(55),
    rejected boolean DEFAULT false NOT NULL
);
CREATE TABLE public.notification_preferences (
    user_id uuid NOT NULL,
    reminder_mails boolean NOT NULL,
    weekly_report boolean NOT NULL
);
CREATE TABLE public.notifications (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind character varying(20) NOT NULL,
    task_id uuid NOT NULL,
    title character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone
);
CREATE TABLE public.object_pieces (
    key uuid NOT NULL,
    "position" integer NOT NULL,
    data bytea NOT NULL
);
CREATE TABLE public.objects (
    key uuid NOT NULL,
    name character varying(255) NOT NULL,
    content_type character varying(100) NOT NULL,
    size bigint NOT NULL,
    loose_from timestamp with time zone
);
CREATE TABLE public.outbox (
    id uuid NOT NULL,
    name character varying(80) NOT NULL,
    user_id uuid,
    at timestamp with time zone NOT NULL,
    payload json NOT NULL,
    carried_at timestamp with time zone,
    traceparent character varying(55)
);
CREATE TABLE public.password_resets (
    id uuid NOT NULL,
    user_id uuid,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE TABLE public.recipients (
    user_id uuid NOT NULL,
    email character varying(254) NOT NULL,
    name character varying(200) NOT NULL,
    at timestamp with time zone NOT NULL,
    verified boolean DEFAULT false NOT NULL
);
CREATE TABLE public.refresh_tokens (
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone
);
CREATE TABLE public.task_facts (
    task_id uuid NOT NULL,
    user_id uuid NOT NULL,
    version integer NOT NULL,
    title character varying(200) NOT NULL,
    status character varying(20) NOT NULL,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    completed_version integer NOT NULL,
    completed_at timestamp with time zone,
    deleted_at timestamp with time zone,
    created_on date NOT NULL,
    completed_on date,
    seconds_to_completion bigint
);
CREATE TABLE public.task_tags (
    task_id uuid NOT NULL,
    tag text NOT NULL COLLATE pg_catalog."C",
    user_id uuid NOT NULL
);
CREATE TABLE public.tasks (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    title character varying(200) NOT NULL,
    description text NOT NULL,
    status character varying(20) NOT NULL,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    version integer NOT NULL,
    title_key text NOT NULL COLLATE pg_catalog."C",
    search_text text NOT NULL,
    remind_at timestamp with time zone,
    attachments integer DEFAULT 0 NOT NULL,
    reminded_for timestamp with time zone,
    CONSTRAINT ck_tasks_ck_tasks_status CHECK (((status)::text = ANY ((ARRAY['todo'::character varying, 'in_progress'::character varying, 'done'::character varying])::text[])))
);
CREATE TABLE public.user_versions (
    user_id uuid NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email character varying(254) NOT NULL,
    name character varying(200) NOT NULL,
    password_hash character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    role character varying(20) DEFAULT 'user'::character varying NOT NULL,
    disabled_at timestamp with time zone,
    avatar_id uuid,
    verified_at timestamp with time zone
);
INSERT INTO public.alembic_version VALUES ('0023');
INSERT INTO public.attachment_usage VALUES ('01a22b11-5ebf-7301-b436-b9b806c98b3a', 5);
INSERT INTO public.attachments VALUES ('01a22b11-5fd9-73ed-b9f7-32fa369d7839', '01a22b11-5fbc-71a8-a0f9-dd07d1ae0ed7', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'a.txt', 'text/plain', 5, '2026-11-30 06:08:08.672946+00');
INSERT INTO public.audit_log VALUES ('01a22b11-6146-7365-800d-204329f20c6d', '2026-11-30 06:08:09.030442+00', NULL, 'user.role', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '', '{"from": "user", "to": "admin"}');
INSERT INTO public.audit_log VALUES ('01a22b11-6184-76c5-8d91-f770f03c070d', '2026-11-30 06:08:09.083767+00', '01a22b11-5ef4-7620-8cda-375c455c7751', 'user.delete', '01a22b11-5ef4-7620-8cda-375c455c7751', '127.0.0.1', '{}');
INSERT INTO public.deleted_users VALUES ('01a22b11-5ef4-7620-8cda-375c455c7751', '2026-11-30 06:08:09.083767+00');
INSERT INTO public.handled_events VALUES ('notifications.recipients', '01a22b11-5ec2-7534-bc13-b1ce3921d071', '2026-11-30 06:08:08.861427+00');
INSERT INTO public.handled_events VALUES ('notifications.recipients', '01a22b11-5ee2-7577-922a-0b45acd6c538', '2026-11-30 06:08:08.861427+00');
INSERT INTO public.handled_events VALUES ('notifications.recipients', '01a22b11-5ef9-70ee-9e0b-74ae34ee66e7', '2026-11-30 06:08:08.861427+00');
INSERT INTO public.handled_events VALUES ('notifications.reminders', '01a22b11-6091-7315-aec4-24e9d14e5fc8', '2026-11-30 06:08:08.876516+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f13-77fe-a1c0-568f1f133725', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f24-76fa-acd6-a8b1ccd03208', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f3d-77ec-931a-008dc8afc3f0', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f5a-711a-a1d8-9ed07a5914fe', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f68-72c6-8dd8-368b76ed605d', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f77-728f-bf49-24c699b8c00a', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f84-77c9-a64b-91fa7574f5b6', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5f9e-7508-b3b0-c514918a2b76', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-5fbe-7212-b456-26c5364a1bfa', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('analytics', '01a22b11-6059-73df-bee4-14ae4f9c1fce', '2026-11-30 06:08:08.890399+00');
INSERT INTO public.handled_events VALUES ('tasks.erasure', '01a22b11-6184-76c5-8d91-f76f8876a069', '2026-11-30 06:08:09.10494+00');
INSERT INTO public.handled_events VALUES ('notifications.erasure', '01a22b11-6184-76c5-8d91-f76f8876a069', '2026-11-30 06:08:09.113346+00');
INSERT INTO public.handled_events VALUES ('analytics.erasure', '01a22b11-6184-76c5-8d91-f76f8876a069', '2026-11-30 06:08:09.122428+00');
INSERT INTO public.handled_events VALUES ('jobs.erasure', '01a22b11-6184-76c5-8d91-f76f8876a069', '2026-11-30 06:08:09.128773+00');
INSERT INTO public.idempotency_keys VALUES ('01a22b11-5ebf-7301-b436-b9b806c98b3a', 'key-1', '695a5a6eb9df06f54d815c5799600111708f4ff99abb731eab9114295a441a1d', '{"id": "01a22b11-6056-76aa-bd02-8cf9783b3f59", "user_id": "01a22b11-5ebf-7301-b436-b9b806c98b3a", "title": "Once", "description": "", "status": "todo", "due_at": null, "created_at": "2026-11-30T06:08:08.790882Z", "updated_at": "2026-11-30T06:08:08.790882Z", "version": 1, "tags": [], "remind_at": null, "attachments": 0}', '2026-11-30 06:08:08.795293+00');
INSERT INTO public.jobs VALUES ('01a22b11-60b3-71fe-a737-78a2bcd98f31', NULL, 'reminder', 'queued', '{"notification_id": "01a22b11-6091-7315-aec4-24e9d14e5fc8"}', '{}', 0, NULL, 0, 0, false, '2026-11-30 06:08:08.883757+00', NULL, NULL, NULL, '2026-11-30 06:08:08.883757+00', NULL, NULL, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('01a22b11-6197-7684-996c-e1f4cc88412c', NULL, 'erasure', 'queued', '{"service": "tasks", "user": "01a22b11-5ef4-7620-8cda-375c455c7751"}', '{}', 0, NULL, 0, 0, false, '2026-11-30 06:08:09.111909+00', NULL, NULL, NULL, '2026-11-30 06:08:09.111909+00', NULL, NULL, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('01a22b11-619d-717d-a63c-b536bdecdba7', NULL, 'erasure', 'queued', '{"service": "notifications", "user": "01a22b11-5ef4-7620-8cda-375c455c7751"}', '{}', 0, NULL, 0, 0, false, '2026-11-30 06:08:09.117065+00', NULL, NULL, NULL, '2026-11-30 06:08:09.117065+00', NULL, NULL, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('01a22b11-61a7-743a-905c-26d5c2a9a995', NULL, 'erasure', 'queued', '{"service": "analytics", "user": "01a22b11-5ef4-7620-8cda-375c455c7751"}', '{}', 0, NULL, 0, 0, false, '2026-11-30 06:08:09.127583+00', NULL, NULL, NULL, '2026-11-30 06:08:09.127583+00', NULL, NULL, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('01a22b11-61af-7515-aaf6-a9aae259f5b4', NULL, 'erasure', 'queued', '{"service": "jobs", "user": "01a22b11-5ef4-7620-8cda-375c455c7751"}', '{}', 0, NULL, 0, 0, false, '2026-11-30 06:08:09.135534+00', NULL, NULL, NULL, '2026-11-30 06:08:09.135534+00', NULL, NULL, NULL, NULL, false);
INSERT INTO public.notification_preferences VALUES ('01a22b11-5ebf-7301-b436-b9b806c98b3a', true, true);
INSERT INTO public.notifications VALUES ('01a22b11-6091-7315-aec4-24e9d14e5fc8', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'reminder', '01a22b11-5fbc-71a8-a0f9-dd07d1ae0ed7', 'Remind me', '2026-11-30 06:08:08.846474+00', NULL);
INSERT INTO public.object_pieces VALUES ('01a22b11-5fd9-73ed-b9f7-32fa369d7839', 0, '\x68656c6c6f');
INSERT INTO public.object_pieces VALUES ('01a22b11-6016-7331-b719-10ebb3ec8c0e', 0, '\x52494646c20000005745425056503820b60000007011009d012a000100013e5128924723a2a1a1202800700a09696ee176b11edc07e00000159bb5e2e4e43df6c9c87bed9390f7db2721efb64e43df6c9c87bed9390f7db2721efb64e43df6c9c87bed9390f7db2721efb64e43df6c9c87bed9390f7db2721efb64e43df6c9c87bed9390f7db2721efb64e43df6c9c87bed9390f7db2721efb64e43df6c9c87bed9390f7db271fc000feff7e5dffffe6095f906ed43ffffd0a1fd0a1fd0a1ffd04800000000000000000');
INSERT INTO public.objects VALUES ('01a22b11-5fd9-73ed-b9f7-32fa369d7839', 'a.txt', 'text/plain', 5, NULL);
INSERT INTO public.objects VALUES ('01a22b11-6016-7331-b719-10ebb3ec8c0e', 'avatar.webp', 'image/webp', 202, NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5ec2-7534-bc13-b1ce3921d071', 'user.registered', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.383506+00', '{"email": "ada@example.org", "name": "Somebody", "verified": false}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5ee2-7577-922a-0b45acd6c538', 'user.registered', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:08.415277+00', '{"email": "bob@example.org", "name": "Somebody", "verified": false}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5ef9-70ee-9e0b-74ae34ee66e7', 'user.registered', '01a22b11-5ef4-7620-8cda-375c455c7751', '2026-11-30 06:08:08.436523+00', '{"email": "eve@example.org", "name": "Somebody", "verified": false}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f13-77fe-a1c0-568f1f133725', 'task.created', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.463464+00', '{"task_id": "01a22b11-5f0f-71d4-93db-0ac0a772cb82", "version": 1, "title": "Task 0", "created_at": "2026-11-30T06:08:08.463464+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f24-76fa-acd6-a8b1ccd03208', 'task.created', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.482452+00', '{"task_id": "01a22b11-5f22-70ee-bb85-a7179e9bdfc9", "version": 1, "title": "Task 1", "created_at": "2026-11-30T06:08:08.482452+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f3d-77ec-931a-008dc8afc3f0', 'task.created', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.501568+00', '{"task_id": "01a22b11-5f35-75dc-bf4b-9a8435284cdf", "version": 1, "title": "Task 2", "created_at": "2026-11-30T06:08:08.501568+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f5a-711a-a1d8-9ed07a5914fe', 'task.completed', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.525372+00', '{"task_id": "01a22b11-5f35-75dc-bf4b-9a8435284cdf", "version": 2, "title": "Task 2", "created_at": "2026-11-30T06:08:08.501568+00:00", "status": "done", "due_at": null, "remind_at": null, "was": {"status": "todo", "due_at": null, "remind_at": null}}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f68-72c6-8dd8-368b76ed605d', 'task.created', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:08.551168+00', '{"task_id": "01a22b11-5f67-7610-a8ac-8eef5c1afa85", "version": 1, "title": "Task 0", "created_at": "2026-11-30T06:08:08.551168+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f77-728f-bf49-24c699b8c00a', 'task.created', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:08.566379+00', '{"task_id": "01a22b11-5f76-7676-98ca-57b7a66806b3", "version": 1, "title": "Task 1", "created_at": "2026-11-30T06:08:08.566379+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f84-77c9-a64b-91fa7574f5b6', 'task.created', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:08.579372+00', '{"task_id": "01a22b11-5f83-7109-a137-58cffcd87b5a", "version": 1, "title": "Task 2", "created_at": "2026-11-30T06:08:08.579372+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5f9e-7508-b3b0-c514918a2b76', 'task.completed', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:08.601945+00', '{"task_id": "01a22b11-5f83-7109-a137-58cffcd87b5a", "version": 2, "title": "Task 2", "created_at": "2026-11-30T06:08:08.579372+00:00", "status": "done", "due_at": null, "remind_at": null, "was": {"status": "todo", "due_at": null, "remind_at": null}}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-5fbe-7212-b456-26c5364a1bfa', 'task.created', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.636666+00', '{"task_id": "01a22b11-5fbc-71a8-a0f9-dd07d1ae0ed7", "version": 1, "title": "Remind me", "created_at": "2026-11-30T06:08:08.636666+00:00", "status": "todo", "due_at": null, "remind_at": "2026-11-30T06:07:08.630142+00:00"}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-6059-73df-bee4-14ae4f9c1fce', 'task.created', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.790882+00', '{"task_id": "01a22b11-6056-76aa-bd02-8cf9783b3f59", "version": 1, "title": "Once", "created_at": "2026-11-30T06:08:08.790882+00:00", "status": "todo", "due_at": null, "remind_at": null}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-6091-7315-aec4-24e9d14e5fc8', 'task.reminder_due', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.846474+00', '{"task_id": "01a22b11-5fbc-71a8-a0f9-dd07d1ae0ed7", "version": 2, "title": "Remind me", "created_at": "2026-11-30T06:08:08.636666+00:00", "status": "todo", "due_at": null, "remind_at": "2026-11-30T06:07:08.630142+00:00"}', '2026-11-30 06:08:08.935994+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-6184-76c5-8d91-f76f8876a069', 'user.deleted', '01a22b11-5ef4-7620-8cda-375c455c7751', '2026-11-30 06:08:09.083767+00', '{}', '2026-11-30 06:08:09.13678+00', NULL);
INSERT INTO public.outbox VALUES ('01a22b11-61ba-71ab-9cf7-7340db56ee80', 'task.created', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:09.143785+00', '{"task_id": "01a22b11-61b7-7025-8de8-fbd44ea8a6d6", "version": 1, "title": "Not yet relayed", "created_at": "2026-11-30T06:08:09.143785+00:00", "status": "todo", "due_at": null, "remind_at": null}', NULL, NULL);
INSERT INTO public.recipients VALUES ('01a22b11-5ebf-7301-b436-b9b806c98b3a', 'ada@example.org', 'Somebody', '2026-11-30 06:08:08.383506+00', false);
INSERT INTO public.recipients VALUES ('01a22b11-5edf-7665-aa4d-9dcaae131b48', 'bob@example.org', 'Somebody', '2026-11-30 06:08:08.415277+00', false);
INSERT INTO public.recipients VALUES ('01a22b11-5ef4-7620-8cda-375c455c7751', 'eve@example.org', 'Somebody', '2026-11-30 06:08:08.436523+00', false);
INSERT INTO public.refresh_tokens VALUES ('01a22b11-5ed4-73ef-8b36-6408aba7a1ad', '01a22b11-5ece-7077-85d8-86c01b22f145', '\x1739833066579b36ffbf215275009b735524b84206836174ef47e62a44f2763e', '2026-12-30 06:08:08.398787+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('01a22b11-5ef1-733b-8748-a16bf8f8604e', '01a22b11-5eeb-74d3-ae92-049f4b5f25ab', '\xefc321ad9883c5337db7fabe545533cddb0339f598cc4fea67d37311a07f415f', '2026-12-30 06:08:08.427241+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('01a22b11-615e-77b1-8751-15b56c6ee425', '01a22b11-615b-7274-b6bd-ef8c2ed86296', '\xbe09d1107fc8747e3e9f4044dad8450754331378f0eeace959f8c700d6ce7e49', '2026-12-30 06:08:09.051909+00', NULL);
INSERT INTO public.sessions VALUES ('01a22b11-5eeb-74d3-ae92-049f4b5f25ab', '01a22b11-5edf-7665-aa4d-9dcaae131b48', '2026-11-30 06:08:08.427241+00', NULL, '2026-11-30 06:08:08.427241+00');
INSERT INTO public.sessions VALUES ('01a22b11-5ece-7077-85d8-86c01b22f145', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:08.398787+00', '2026-11-30 06:08:09.036126+00', '2026-11-30 06:08:08.398787+00');
INSERT INTO public.sessions VALUES ('01a22b11-615b-7274-b6bd-ef8c2ed86296', '01a22b11-5ebf-7301-b436-b9b806c98b3a', '2026-11-30 06:08:09.051909+00', NULL, '2026-11-30 06:08:09.051909+00');
INSERT INTO public.task_facts VALUES ('01a22b11-5f0f-71d4-93db-0ac0a772cb82', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 1, 'Task 0', 'todo', NULL, '2026-11-30 06:08:08.463464+00', 0, NULL, NULL, '2026-11-30', NULL, NULL);
INSERT INTO public.task_facts VALUES ('01a22b11-5f22-70ee-bb85-a7179e9bdfc9', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 1, 'Task 1', 'todo', NULL, '2026-11-30 06:08:08.482452+00', 0, NULL, NULL, '2026-11-30', NULL, NULL);
INSERT INTO public.task_facts VALUES ('01a22b11-5f35-75dc-bf4b-9a8435284cdf', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 2, 'Task 2', 'done', NULL, '2026-11-30 06:08:08.501568+00', 2, '2026-11-30 06:08:08.525372+00', NULL, '2026-11-30', '2026-11-30', 0);
INSERT INTO public.task_facts VALUES ('01a22b11-5f67-7610-a8ac-8eef5c1afa85', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 1, 'Task 0', 'todo', NULL, '2026-11-30 06:08:08.551168+00', 0, NULL, NULL, '2026-11-30', NULL, NULL);
INSERT INTO public.task_facts VALUES ('01a22b11-5f76-7676-98ca-57b7a66806b3', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 1, 'Task 1', 'todo', NULL, '2026-11-30 06:08:08.566379+00', 0, NULL, NULL, '2026-11-30', NULL, NULL);
INSERT INTO public.task_facts VALUES ('01a22b11-5f83-7109-a137-58cffcd87b5a', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 2, 'Task 2', 'done', NULL, '2026-11-30 06:08:08.579372+00', 2, '2026-11-30 06:08:08.601945+00', NULL, '2026-11-30', '2026-11-30', 0);
INSERT INTO public.task_facts VALUES ('01a22b11-5fbc-71a8-a0f9-dd07d1ae0ed7', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 1, 'Remind me', 'todo', NULL, '2026-11-30 06:08:08.636666+00', 0, NULL, NULL, '2026-11-30', NULL, NULL);
INSERT INTO public.task_facts VALUES ('01a22b11-6056-76aa-bd02-8cf9783b3f59', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 1, 'Once', 'todo', NULL, '2026-11-30 06:08:08.790882+00', 0, NULL, NULL, '2026-11-30', NULL, NULL);
INSERT INTO public.task_tags VALUES ('01a22b11-5f0f-71d4-93db-0ac0a772cb82', 'home', '01a22b11-5ebf-7301-b436-b9b806c98b3a');
INSERT INTO public.task_tags VALUES ('01a22b11-5f0f-71d4-93db-0ac0a772cb82', 'n0', '01a22b11-5ebf-7301-b436-b9b806c98b3a');
INSERT INTO public.task_tags VALUES ('01a22b11-5f22-70ee-bb85-a7179e9bdfc9', 'home', '01a22b11-5ebf-7301-b436-b9b806c98b3a');
INSERT INTO public.task_tags VALUES ('01a22b11-5f22-70ee-bb85-a7179e9bdfc9', 'n1', '01a22b11-5ebf-7301-b436-b9b806c98b3a');
INSERT INTO public.task_tags VALUES ('01a22b11-5f35-75dc-bf4b-9a8435284cdf', 'home', '01a22b11-5ebf-7301-b436-b9b806c98b3a');
INSERT INTO public.task_tags VALUES ('01a22b11-5f35-75dc-bf4b-9a8435284cdf', 'n2', '01a22b11-5ebf-7301-b436-b9b806c98b3a');
INSERT INTO public.task_tags VALUES ('01a22b11-5f67-7610-a8ac-8eef5c1afa85', 'home', '01a22b11-5edf-7665-aa4d-9dcaae131b48');
INSERT INTO public.task_tags VALUES ('01a22b11-5f67-7610-a8ac-8eef5c1afa85', 'n0', '01a22b11-5edf-7665-aa4d-9dcaae131b48');
INSERT INTO public.task_tags VALUES ('01a22b11-5f76-7676-98ca-57b7a66806b3', 'home', '01a22b11-5edf-7665-aa4d-9dcaae131b48');
INSERT INTO public.task_tags VALUES ('01a22b11-5f76-7676-98ca-57b7a66806b3', 'n1', '01a22b11-5edf-7665-aa4d-9dcaae131b48');
INSERT INTO public.task_tags VALUES ('01a22b11-5f83-7109-a137-58cffcd87b5a', 'home', '01a22b11-5edf-7665-aa4d-9dcaae131b48');
INSERT INTO public.task_tags VALUES ('01a22b11-5f83-7109-a137-58cffcd87b5a', 'n2', '01a22b11-5edf-7665-aa4d-9dcaae131b48');
INSERT INTO public.tasks VALUES ('01a22b11-5f0f-71d4-93db-0ac0a772cb82', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'Task 0', '', 'todo', NULL, '2026-11-30 06:08:08.463464+00', '2026-11-30 06:08:08.463464+00', 1, 'task 0', 'task 0
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-5f22-70ee-bb85-a7179e9bdfc9', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'Task 1', '', 'todo', NULL, '2026-11-30 06:08:08.482452+00', '2026-11-30 06:08:08.482452+00', 1, 'task 1', 'task 1
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-5f35-75dc-bf4b-9a8435284cdf', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'Task 2', '', 'done', NULL, '2026-11-30 06:08:08.501568+00', '2026-11-30 06:08:08.525372+00', 2, 'task 2', 'task 2
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-5f67-7610-a8ac-8eef5c1afa85', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 'Task 0', '', 'todo', NULL, '2026-11-30 06:08:08.551168+00', '2026-11-30 06:08:08.551168+00', 1, 'task 0', 'task 0
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-5f76-7676-98ca-57b7a66806b3', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 'Task 1', '', 'todo', NULL, '2026-11-30 06:08:08.566379+00', '2026-11-30 06:08:08.566379+00', 1, 'task 1', 'task 1
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-5f83-7109-a137-58cffcd87b5a', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 'Task 2', '', 'done', NULL, '2026-11-30 06:08:08.579372+00', '2026-11-30 06:08:08.601945+00', 2, 'task 2', 'task 2
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-6056-76aa-bd02-8cf9783b3f59', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'Once', '', 'todo', NULL, '2026-11-30 06:08:08.790882+00', '2026-11-30 06:08:08.790882+00', 1, 'once', 'once
', NULL, 0, NULL);
INSERT INTO public.tasks VALUES ('01a22b11-5fbc-71a8-a0f9-dd07d1ae0ed7', '01a22b11-5ebf-7301-b436-b9b806c98b3a', 'Remind me', '', 'todo', NULL, '2026-11-30 06:08:08.636666+00', '2026-11-30 06:08:08.687039+00', 2, 'remind me', 'remind me
', '2026-11-30 06:07:08.630142+00', 1, '2026-11-30 06:07:08.630142+00');
INSERT INTO public.tasks VALUES ('01a22b11-61b7-7025-8de8-fbd44ea8a6d6', '01a22b11-5edf-7665-aa4d-9dcaae131b48', 'Not yet relayed', '', 'todo', NULL, '2026-11-30 06:08:09.143785+00', '2026-11-30 06:08:09.143785+00', 1, 'not yet relayed', 'not yet relayed
', NULL, 0, NULL);
INSERT INTO public.user_versions VALUES ('01a22b11-5ebf-7301-b436-b9b806c98b3a', 11);
INSERT INTO public.user_versions VALUES ('01a22b11-5ef4-7620-8cda-375c455c7751', 1);
INSERT INTO public.user_versions VALUES ('01a22b11-5edf-7665-aa4d-9dcaae131b48', 6);
INSERT INTO public.users VALUES ('01a22b11-5edf-7665-aa4d-9dcaae131b48', 'bob@example.org', 'Somebody', '$argon2id$v=19$m=8,t=1,p=1$HkFm28Px1GPYJV92+GXMcA$LMXTz2lNeHrzKuJmg3gXBOCuy8uHAP/JD2hjRqkC4u4', '2026-11-30 06:08:08.415277+00', 'user', NULL, NULL, NULL);
INSERT INTO public.users VALUES ('01a22b11-5ebf-7301-b436-b9b806c98b3a', 'ada@example.org', 'Somebody', '$argon2id$v=19$m=8,t=1,p=1$ZaGGbh/O8x3dkenqoy+xdA$XN4oVU+vxQ/PhbyHSm1ke4iy/v0ZHtMNhnhMCWN1I6Y', '2026-11-30 06:08:08.383506+00', 'admin', NULL, '01a22b11-6016-7331-b719-10ebb3ec8c0e', NULL);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.attachment_usage
    ADD CONSTRAINT pk_attachment_usage PRIMARY KEY (user_id);
ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT pk_attachments PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT pk_audit_log PRIMARY KEY (id);
ALTER TABLE ONLY public.daily_counts
    ADD CONSTRAINT pk_daily_counts PRIMARY KEY (user_id, day);
ALTER TABLE ONLY public.deleted_users
    ADD CONSTRAINT pk_deleted_users PRIMARY KEY (user_id);
ALTER TABLE ONLY public.failed_deliveries
    ADD CONSTRAINT pk_failed_deliveries PRIMARY KEY (consumer, event_id);
ALTER TABLE ONLY public.handled_events
    ADD CONSTRAINT pk_handled_events PRIMARY KEY (consumer, event_id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, key);
ALTER TABLE ONLY public.job_files
    ADD CONSTRAINT pk_job_files PRIMARY KEY (job_id, name, "position");
ALTER TABLE ONLY public.job_refused_lines
    ADD CONSTRAINT pk_job_refused_lines PRIMARY KEY (job_id, line);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.notification_preferences
    ADD CONSTRAINT pk_notification_preferences PRIMARY KEY (user_id);
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT pk_notifications PRIMARY KEY (id);
ALTER TABLE ONLY public.object_pieces
    ADD CONSTRAINT pk_object_pieces PRIMARY KEY (key, "position");
ALTER TABLE ONLY public.objects
    ADD CONSTRAINT pk_objects PRIMARY KEY (key);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (id);
ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT pk_password_resets PRIMARY KEY (id);
ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT pk_recipients PRIMARY KEY (user_id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT pk_refresh_tokens PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (id);
ALTER TABLE ONLY public.task_facts
    ADD CONSTRAINT pk_task_facts PRIMARY KEY (task_id);
ALTER TABLE ONLY public.task_tags
    ADD CONSTRAINT pk_task_tags PRIMARY KEY (task_id, tag);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (id);
ALTER TABLE ONLY public.user_versions
    ADD CONSTRAINT pk_user_versions PRIMARY KEY (user_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
CREATE INDEX idx_attachments_task_id ON public.attachments USING btree (task_id, id);
CREATE INDEX idx_attachments_user_id ON public.attachments USING btree (user_id, id);
CREATE INDEX idx_audit_log_action_at_id ON public.audit_log USING btree (action, at, id);
CREATE INDEX idx_audit_log_actor_id_at_id ON public.audit_log USING btree (actor_id, at, id);
CREATE INDEX idx_audit_log_at_id ON public.audit_log USING btree (at, id);
CREATE INDEX idx_audit_log_subject_id ON public.audit_log USING btree (subject_id, id);
CREATE INDEX idx_deleted_users_at ON public.deleted_users USING btree (at);
CREATE INDEX idx_failed_deliveries_dead ON public.failed_deliveries USING btree (at) WHERE (due_at IS NULL);
CREATE INDEX idx_failed_deliveries_due_at ON public.failed_deliveries USING btree (due_at);
CREATE INDEX idx_handled_events_at ON public.handled_events USING btree (at);
CREATE INDEX idx_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX idx_job_files_at ON public.job_files USING btree (at);
CREATE INDEX idx_jobs_finished_at ON public.jobs USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX idx_jobs_state_due ON public.jobs USING btree (state, due_at);
CREATE UNIQUE INDEX idx_jobs_unique_key ON public.jobs USING btree (unique_key);
CREATE INDEX idx_jobs_user_id ON public.jobs USING btree (user_id, id);
CREATE INDEX idx_notifications_created_at ON public.notifications USING btree (created_at);
CREATE INDEX idx_notifications_unread ON public.notifications USING btree (user_id) WHERE (read_at IS NULL);
CREATE INDEX idx_notifications_user_id ON public.notifications USING btree (user_id, id);
CREATE INDEX idx_objects_loose_from ON public.objects USING btree (loose_from) WHERE (loose_from IS NOT NULL);
CREATE INDEX idx_outbox_carried_at ON public.outbox USING btree (carried_at);
CREATE INDEX idx_outbox_waiting ON public.outbox USING btree (id) WHERE (carried_at IS NULL);
CREATE INDEX idx_password_resets_expires_at ON public.password_resets USING btree (expires_at);
CREATE INDEX idx_password_resets_user_id ON public.password_resets USING btree (user_id);
CREATE INDEX idx_refresh_tokens_expires_at ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX idx_refresh_tokens_session_id ON public.refresh_tokens USING btree (session_id);
CREATE INDEX idx_sessions_last_used_at ON public.sessions USING btree (last_used_at);
CREATE INDEX idx_sessions_revoked_at ON public.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);
CREATE INDEX idx_sessions_user_id ON public.sessions USING btree (user_id);
CREATE INDEX idx_task_facts_deleted_at ON public.task_facts USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);
CREATE INDEX idx_task_facts_user_completed ON public.task_facts USING btree (user_id, completed_on);
CREATE INDEX idx_task_facts_user_created ON public.task_facts USING btree (user_id, created_on);
CREATE INDEX idx_task_facts_user_status ON public.task_facts USING btree (user_id, status, due_at) WHERE (deleted_at IS NULL);
CREATE INDEX idx_task_tags_user_tag ON public.task_tags USING btree (user_id, tag, task_id);
CREATE INDEX idx_tasks_created_at ON public.tasks USING btree (created_at DESC);
CREATE INDEX idx_tasks_reminders ON public.tasks USING btree (remind_at) WHERE ((remind_at IS NOT NULL) AND ((status)::text <> 'done'::text) AND ((reminded_for IS NULL) OR (reminded_for <> remind_at)));
CREATE INDEX idx_tasks_status ON public.tasks USING btree (status);
CREATE INDEX idx_tasks_user_created ON public.tasks USING btree (user_id, created_at, id);
CREATE INDEX idx_tasks_user_due ON public.tasks USING btree (user_id, due_at, id);
CREATE INDEX idx_tasks_user_id ON public.tasks USING btree (user_id);
CREATE INDEX idx_tasks_user_status ON public.tasks USING btree (user_id, status);
CREATE INDEX idx_tasks_user_title ON public.tasks USING btree (user_id, title_key, id);
CREATE INDEX idx_tasks_user_updated ON public.tasks USING btree (user_id, updated_at, id);
CREATE UNIQUE INDEX idx_users_email ON public.users USING btree (email);
CREATE TRIGGER audit_log_only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_change();
ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT fk_password_resets_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.task_tags
    ADD CONSTRAINT fk_task_tags_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
