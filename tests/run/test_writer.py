import os
import subprocess
import sys
import textwrap
import threading
from functools import partial
from types import SimpleNamespace

import pytest

from keras_image_saver.run import writer as writer_module
from keras_image_saver.run.writer import Background, Inline, flush_all


class Storage:
    """A job that hangs until it is let go."""

    def __init__(self):
        self.entered = threading.Event()
        self.answers = threading.Event()

    def __call__(self):
        self.entered.set()
        assert self.answers.wait(30)


@pytest.fixture
def short_stall(stall_limit):
    stall_limit(0.05)


def test_nobody_waits_for_storage_longer_than_a_minute():
    assert writer_module.STALL_S == 60


def test_inline_waits_for_each_job(waits):
    writer, ran = Inline(pytest.fail), []
    for number in range(3):
        assert writer.submit(partial(ran.append, number))
        assert ran == list(range(number + 1))
        assert writer.is_idle
    assert writer.flush()


def test_inline_waits_once_for_storage_that_hangs_then_refuses_at_once(stall_limit, waits):
    stall_limit(0.05)
    writer, storage, ran = Inline(pytest.fail), Storage(), []
    answers = [writer.submit(storage)]
    assert storage.entered.wait(30)
    answers += [writer.submit(partial(ran.append, number)) for number in range(3)]
    assert answers == [True, True, False, False]
    assert sum(limit > 0.01 for limit in waits.limits) == 2  # for room, and for the first job
    assert ran == []
    storage.answers.set()
    stall_limit(30)
    assert flush_all()
    assert ran == [0]
    assert writer.submit(partial(ran.append, "next"))
    assert ran == [0, "next"]


def test_background_keeps_the_order_and_runs_on_another_thread():
    writer, ran = Background(pytest.fail), []
    for number in range(20):
        assert writer.submit(lambda number=number: ran.append((number, threading.get_ident())))
    assert writer.flush()
    assert [number for number, _ in ran] == list(range(20))
    assert threading.get_ident() not in {thread for _, thread in ran}


def test_background_lets_one_job_wait_and_the_next_submit_wait_for_room():
    writer, storage, ran = Background(pytest.fail), Storage(), []
    writer.submit(storage)
    assert storage.entered.wait(30)
    writer.submit(lambda: ran.append("waiting"))
    submitted = threading.Event()

    def third():
        writer.submit(lambda: ran.append("third"))
        submitted.set()

    thread = threading.Thread(target=third)
    thread.start()
    assert not submitted.wait(0.2)
    storage.answers.set()
    thread.join(30)
    assert writer.flush()
    assert ran == ["waiting", "third"]


def test_background_leaves_no_thread_when_there_is_nothing_to_do():
    writer = Background(pytest.fail)
    writer.submit(lambda: None)
    assert writer.flush()
    names = [thread.name for thread in threading.enumerate() if thread.is_alive()]
    deadline = 100
    while "keras_image_saver" in names and deadline:
        for thread in threading.enumerate():
            if thread.name == "keras_image_saver":
                thread.join(1)
        names = [thread.name for thread in threading.enumerate()]
        deadline -= 1
    assert "keras_image_saver" not in names


def test_background_goes_on_after_a_job_that_raises():
    said, ran = [], []
    writer = Background(said.append)

    def broken():
        raise ValueError("broken")

    writer.submit(broken)
    writer.submit(lambda: ran.append("next"))
    assert writer.flush()
    assert ran == ["next"]
    assert said == ["A job failed: ValueError('broken')"]


def test_background_waits_once_for_storage_that_hangs_then_refuses_at_once(
    short_stall, stall_limit, waits
):
    writer, storage = Background(pytest.fail), Storage()
    writer.submit(storage)
    assert storage.entered.wait(30)
    writer.submit(lambda: None)
    waits.clear()
    assert [writer.submit(lambda: None) for _ in range(3)] == [False, False, False]
    assert waits.limits == [0.05, 0.0, 0.0]
    assert not writer.flush()
    storage.answers.set()
    stall_limit(30)
    assert flush_all()
    assert writer.submit(lambda: None)
    assert writer.flush()


def test_flush_all_waits_for_every_writer_no_longer_than_the_limit(stall_limit):
    ran, storage = [], Storage()
    for number in range(3):
        Background(pytest.fail).submit(partial(ran.append, number))
    kept = Background(pytest.fail)  # the others live as long as their threads
    assert flush_all()
    assert sorted(ran) == [0, 1, 2]
    kept.submit(storage)
    stall_limit(0.05)
    assert not flush_all()
    storage.answers.set()
    stall_limit(30)
    assert flush_all()


@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)", "1 / 0", "raise KeyboardInterrupt"])
def test_what_is_queued_is_written_before_the_interpreter_exits(ending, tmp_path):
    script = f"""
        import time
        from keras_image_saver.run.writer import Background
        writer = Background(print)
        for number in range(3):
            def job(number=number):
                time.sleep(0.2)
                open({str(tmp_path)!r} + f"/{{number}}", "w").close()
            writer.submit(job)
        {ending}
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        timeout=60,
        capture_output=True,
        check=False,
    )
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "2"]


def test_the_interpreters_exit_does_not_wait_for_storage_that_hangs():
    script = """
        import threading
        from keras_image_saver.run import writer
        writer.STALL_S = 0.2
        writer.Background(print).submit(lambda: threading.Event().wait())
        background = writer.Background(print)
        background.submit(lambda: threading.Event().wait())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=30, check=False)
    assert done.returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_neither_waits_for_nor_repeats_the_parents_jobs(tmp_path):
    script = f"""
        import os, threading
        from keras_image_saver.run import writer
        background, go = writer.Background(print), threading.Event()
        entered = threading.Event()
        def job():
            entered.set()
            go.wait(20)
            open({str(tmp_path)!r} + "/" + str(os.getpid()), "w").close()
        background.submit(job)
        entered.wait(20)
        child = os.fork()
        if child == 0:
            raise SystemExit(0 if background.flush() else 1)
        assert os.waitpid(child, 0)[1] == 0
        go.set()
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)], timeout=60, check=False
    )
    assert done.returncode == 0
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("kind", [Background, Inline])
def test_ask_returns_what_the_job_does_and_raises_its_error(kind):
    writer = kind(pytest.fail)
    assert writer.ask(lambda: 7, "counting") == 7
    with pytest.raises(ZeroDivisionError):
        writer.ask(lambda: 1 / 0, "dividing")


@pytest.mark.parametrize("kind", [Background, Inline])
def test_ask_does_not_wait_for_storage_that_hangs(short_stall, stall_limit, kind):
    writer, storage = kind(pytest.fail), Storage()
    with pytest.raises(TimeoutError, match=r"does not answer: looking took longer than 0\.05 s"):
        writer.ask(storage, "looking")
    storage.answers.set()
    stall_limit(30)
    assert flush_all()


@pytest.mark.parametrize("kind", [Background, Inline])
def test_finish_runs_the_last_job_after_those_that_wait(kind):
    writer, ran = kind(pytest.fail), []
    assert writer.submit(partial(ran.append, "first"))
    assert writer.finish(partial(ran.append, "last"))
    assert ran == ["first", "last"]


@pytest.mark.parametrize("kind", [Background, Inline])
def test_finish_waits_no_longer_than_the_limit_and_its_job_runs_all_the_same(
    short_stall, stall_limit, waits, kind
):
    writer, storage, ran = kind(pytest.fail), Storage(), []
    writer.submit(storage)
    writer.submit(partial(ran.append, "waiting"))
    waits.clear()
    assert not writer.finish(partial(ran.append, "last"))
    assert all(one.limit <= 0.05 for one in waits)
    waits.clear()
    assert not writer.flush()  # storage has been waited for, so it costs nothing more
    assert max(waits.limits) < 0.001
    storage.answers.set()
    stall_limit(30)
    assert flush_all()
    assert ran == ["waiting", "last"]


def test_background_runs_a_job_itself_where_no_thread_can_be_started(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    writer, ran = Background(pytest.fail), []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        for number in (1, 2):
            assert writer.submit(partial(ran.append, (number, threading.get_ident())))
        assert writer.flush()
    assert ran == [(1, threading.get_ident()), (2, threading.get_ident())]
    assert writer.submit(partial(ran.append, 3))
    assert writer.flush()
    assert ran[2] == 3


def test_writer_is_idle_unless_something_is_to_be_done():
    writer, storage = Background(pytest.fail), Storage()
    assert writer.is_idle
    writer.submit(storage)
    assert storage.entered.wait(30)
    assert not writer.is_idle
    storage.answers.set()
    assert flush_all()
    assert writer.is_idle


def test_flush_waits_for_a_share_of_the_limit(stall_limit, waits):
    stall_limit(0.4)
    writer, storage = Background(pytest.fail), Storage()
    writer.submit(storage)
    assert storage.entered.wait(30)
    waits.clear()
    assert not writer.flush(0.25)
    (limit,) = waits.limits
    assert 0.05 < limit <= 0.1
    waits.clear()
    assert not writer.flush()  # it has been waited for
    assert waits.limits == [0.0]
    storage.answers.set()
    stall_limit(30)
    assert flush_all()


def test_what_nobody_waits_for_any_more_is_told_so(stall_limit):
    writer, storage, found = Background(pytest.fail), Storage(), []

    def job():
        writer.check_wanted()
        storage()
        try:
            writer.check_wanted()
        except TimeoutError as error:
            found.append(str(error))

    assert not writer.has_given_up
    stall_limit(0.05)
    with pytest.raises(TimeoutError, match="looking took longer"):
        writer.ask(job, "looking")
    assert writer.has_given_up
    storage.answers.set()
    stall_limit(30)
    assert flush_all()
    assert found == ["storage answered too late"]
    assert writer.ask(lambda: writer.has_given_up, "looking") is False
    writer.check_wanted()


def test_ask_whose_job_waits_in_vain_is_refused_at_once_by_the_next(stall_limit, waits):
    stall_limit(0.05)
    writer, storage, ran = Background(pytest.fail), Storage(), []
    writer.submit(storage)
    assert storage.entered.wait(30)
    with pytest.raises(TimeoutError, match="first took"):
        writer.ask(partial(ran.append, 1), "first")
    waits.clear()
    with pytest.raises(TimeoutError, match="second took"):
        writer.ask(partial(ran.append, 2), "second")
    assert waits.limits == [0.0]
    storage.answers.set()
    stall_limit(30)
    assert flush_all()
    assert ran == [1]  # what was refused does not run


@pytest.mark.parametrize("taken", [0.0, 0.02, 0.2], ids=["nothing", "some", "more"])
def test_ask_waits_for_the_job_as_long_as_is_left(stall_limit, monkeypatch, taken):
    stall_limit(0.05)
    writer, storage, limits = Background(pytest.fail), Storage(), []
    clock, submit = [100.0], writer.submit

    def submitted(job):
        clock[0] += taken
        return submit(job)

    def wait(outcomes, timeout):
        limits.append(timeout)
        return SimpleNamespace(done=set())

    monkeypatch.setattr(writer, "submit", submitted)
    monkeypatch.setattr(writer_module, "wait", wait)
    monkeypatch.setattr(writer_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    with pytest.raises(TimeoutError, match="looking took longer"):
        writer.ask(storage, "looking")
    assert limits == [pytest.approx(max(0.0, 0.05 - taken))]
    monkeypatch.undo()
    storage.answers.set()
    stall_limit(30)
    assert flush_all()


def test_ask_raises_what_ends_a_program_too():
    writer = Background(pytest.fail)
    with pytest.raises(KeyboardInterrupt):
        writer.ask(Interrupted, "looking")
    assert writer.flush()


class Interrupted:
    def __init__(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize("idle", [True, False])
def test_exit_does_what_is_left_once_every_writer_is_idle(monkeypatch, idle):
    done = []

    def fail():
        done.append("fails")
        raise ValueError

    monkeypatch.setattr(writer_module, "at_exit", [fail, partial(done.append, "last")])
    monkeypatch.setattr(writer_module, "flush_all", lambda: idle)
    writer_module._exit()
    assert done == (["fails", "last"] if idle else [])


def test_flush_all_gives_each_writer_what_is_left_of_the_limit(stall_limit, waits):
    storages = [Storage() for _ in range(3)]
    writers = [Background(pytest.fail) for _ in storages]
    for writer, storage in zip(writers, storages, strict=True):
        writer.submit(storage)
        assert storage.entered.wait(30)
    stall_limit(0.05)
    waits.clear()
    assert not flush_all()
    assert max(waits.limits) <= 0.05
    storages[0].answers.set()
    storages[1].answers.set()
    assert not flush_all()  # one that hangs is enough
    storages[2].answers.set()
    stall_limit(30)
    assert flush_all()
