"""Move of all services, one after another, from the database that they have shared."""

from contextlib import ExitStack
from dataclasses import replace

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.services import SERVICES
from app.core.database_split.moved_services import MovedServices
from app.core.jobs.data_export_job import MOVED
from tests.integration.core.database_split.test_switch import assert_same
from tests.support.api import V1, Person
from tests.support.background import dispatch_events, do_jobs
from tests.support.postgres import Postgres
from tests.support.settings import make_settings
from tests.support.split import Move, move_of

ORDER = ("tasks", "notifications", "analytics", "auth")


def server_of(stack: ExitStack, url: str, *services: str, **settings: str) -> Container:
    container = build(make_settings(url, **settings), services=services or SERVICES)
    stack.callback(container.database.dispose)
    return container


def test_all_services_move_one_after_another(logical: Postgres, address: str) -> None:
    with ExitStack() as stack:
        first, *others = (stack.enter_context(move_of(name, logical)) for name in ORDER)
        moves = [first, *(replace(move, former=first.former) for move in others)]
        former = server_of(stack, first.former_url)
        person = Person(create_app(former).test_client()).register()
        task = person.create(title="Before")
        dispatch_events(former)
        do_jobs(former)
        person.create(title="Not published yet")
        for move in moves:
            move.ready()
            move.switch(address)
            assert_same(move)
        assert MovedServices(former.database.reader, lambda: False).now().keys() == set(ORDER)
        assert first.ask("SELECT count(*) FROM outbox WHERE carried_at IS NULL") == 0

        # Who is logged in stays so, and knows the password.
        of_auth = create_app(server_of(stack, moves[-1].own_url, "auth")).test_client()
        same = Person(of_auth, person.email, person.access_token, person.refresh_token)
        assert same.call("GET", "/users/me").status_code == 200
        assert same.refresh().status_code == 200
        same.login()

        for move in moves:
            move.unsubscribe()
            move.succeed("remove")
        tables = {table for move in moves for table in move.share.own}
        assert first.ask(f"SELECT array_agg(tablename) FROM pg_tables WHERE tablename IN {tuple(tables)}") is None  # noqa: S608 names of ours
        assert first.ask("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'moves%'") == 0
        assert first.administer(f"SELECT count(*) FROM tasks WHERE id = '{task['id']}'") == 1  # noqa: S608


def test_a_copy_of_all_data_stays_where_it_was_and_one_under_way_says_that_the_data_has_moved(
    move: Move, address: str, keys_url: str
) -> None:
    with ExitStack() as stack:
        former = server_of(stack, move.former_url)
        person = Person(create_app(former).test_client()).register()
        made = person.call("POST", "/users/me/export").headers["Location"].removeprefix(V1)
        do_jobs(former)
        archive = person.call("GET", f"{made}/result").data
        under_way = person.call("POST", "/users/me/export").headers["Location"].removeprefix(V1)
        move.ready()
        move.switch(address)
        tasks = server_of(stack, move.own_url, "tasks", jwks_url=keys_url)
        do_jobs(tasks)
        same = Person(create_app(tasks).test_client(), access_token=person.access_token)
        assert same.call("GET", f"{made}/result").data == archive
        job = same.call("GET", under_way).get_json()
        assert (job["state"], job["error"]) == ("failed", MOVED)
