import errno
import gc
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from functools import partial
from types import SimpleNamespace

import pytest

from keras_image_saver.run.lock import Lock, _Hold, _lock_file, next_order
from keras_image_saver.run.writer import Background, flush_all


def lock(folder, *, scoped=False, writer=None, say=pytest.fail):
    return Lock(str(folder), writer or Background(pytest.fail), say, scoped=scoped)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


with_descriptors = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="this system does not list open files so"
)


def tree(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_lock_refuses_a_second_saver_of_the_process_and_is_free_after_release(tmp_path):
    first, second = lock(tmp_path / "run"), lock(tmp_path / "run")
    began = next_order()
    first.acquire(began)
    first.acquire(began)  # its own is no obstacle
    with pytest.raises(ValueError, match=r"no other saver writes to, got .*run"):
        second.acquire(began)
    first.release()
    first.release()
    second.acquire(began)
    second.release()
    assert tree(tmp_path) == []


def test_lock_of_an_interrupted_training_gives_way_and_is_flushed_first(tmp_path):
    written, writer = [], Background(pytest.fail)
    first, second = lock(tmp_path, writer=writer), lock(tmp_path)
    first.acquire(next_order())
    began = threading.Event()

    def job():
        assert began.wait(30)
        time.sleep(0.05)  # so that whoever does not wait for it is seen
        written.append(True)

    writer.submit(job)
    # Its training began later, on the same thread: the first has ended.
    began.set()
    second.acquire(next_order())
    assert written == [True]
    second.release()


@pytest.mark.parametrize("ending", ["interrupted", "left", "thread"])
def test_lock_is_not_taken_before_what_is_queued_is_written(tmp_path, stall_limit, ending):
    stall_limit(0.05)
    answers, writer = threading.Event(), Background(pytest.fail)
    first, second = lock(tmp_path, writer=writer), lock(tmp_path)
    if ending == "thread":
        thread = threading.Thread(target=first.acquire, args=(next_order(),))
        thread.start()
        thread.join()
    else:
        first.acquire(next_order())
    writer.submit(answers.wait)
    if ending == "left":
        assert not writer.finish(first.release)
        first.leave()
    with pytest.raises(ValueError, match="still being written, since storage does not answer"):
        second.acquire(next_order())
    answers.set()
    stall_limit(30)
    assert flush_all()
    second.acquire(next_order())
    second.release()
    assert tree(tmp_path) == []


def test_lock_that_is_left_and_acquired_anew_is_kept(tmp_path, stall_limit):
    stall_limit(0.05)
    answers, writer = threading.Event(), Background(pytest.fail)
    held = lock(tmp_path, writer=writer)
    held.acquire(next_order())
    writer.submit(answers.wait)
    turn = held.turn
    assert not writer.finish(partial(held.release, turn))
    held.leave(turn)
    began = next_order()
    assert held.keep(threading.current_thread())
    answers.set()
    stall_limit(30)
    assert flush_all()
    # It is of a training that is at work: of the same `fit`, or of one that began before.
    with pytest.raises(ValueError, match="another ImageSaver of this process"):
        lock(tmp_path).acquire(began)
    held.release()
    assert not held.keep(threading.current_thread())


@with_descriptors
@pytest.mark.parametrize("scoped", [False, True], ids=["fit", "watch"])
def test_lock_of_a_thread_that_has_ended_gives_way_and_leaves_no_open_file(tmp_path, scoped):
    kept = []

    def train(number):
        kept.append(lock(tmp_path / str(number % 3), scoped=scoped))
        kept[-1].acquire(next_order())

    before = descriptors()
    for number in range(9):
        thread = threading.Thread(target=train, args=(number,))
        thread.start()
        thread.join()
    assert len(kept) == 9
    assert descriptors() <= before + 1
    last = lock(tmp_path / "last")
    last.acquire(next_order())
    assert tree(tmp_path) == ["last/.keras_image_saver.lock"]
    last.release()
    assert descriptors() == before


@with_descriptors
def test_lock_of_a_saver_that_is_forgotten_leaves_no_open_file(tmp_path):
    before = descriptors()
    for number in range(3):
        lock(tmp_path / str(number)).acquire(next_order())
    gc.collect()
    assert descriptors() == before
    assert tree(tmp_path) == []
    lock(tmp_path / "0", scoped=True).acquire(next_order())
    held = lock(tmp_path / "0")
    held.acquire(0)
    held.release()


def test_lock_whose_file_hangs_holds_nobody_else_up(tmp_path, monkeypatch, stall_limit):
    stall_limit(0.05)
    entered, answers, mkdir = threading.Event(), threading.Event(), os.mkdir

    def hang(path):
        if str(path).endswith("hangs"):
            entered.set()
            assert answers.wait(30)
        mkdir(path)

    monkeypatch.setattr(os, "mkdir", hang)
    writer = Background(pytest.fail)
    first = lock(tmp_path / "hangs", writer=writer)
    with pytest.raises(TimeoutError, match="opening took"):
        writer.ask(lambda: first.acquire(next_order()), "opening")
    assert entered.wait(30)
    first.leave()
    with pytest.raises(ValueError, match="still being written"):
        lock(tmp_path / "hangs").acquire(next_order())
    other = lock(tmp_path / "answers")
    other.acquire(next_order())
    other.release()
    answers.set()
    stall_limit(30)
    assert flush_all()
    assert writer.finish(first.cancel)
    assert tree(tmp_path) == []


@pytest.mark.parametrize("reason", ["watch", "thread"])
def test_lock_of_a_live_saver_does_not_give_way(tmp_path, reason):
    holder, acquired, go = (
        lock(tmp_path, scoped=reason == "watch"),
        threading.Event(),
        threading.Event(),
    )

    def train():
        holder.acquire(next_order())
        acquired.set()
        assert go.wait(30)

    thread = threading.Thread(target=train)
    if reason == "thread":
        thread.start()
        assert acquired.wait(30)
    else:
        holder.acquire(next_order())
    with pytest.raises(ValueError, match="another ImageSaver of this process"):
        lock(tmp_path).acquire(next_order())
    go.set()
    if reason == "thread":
        thread.join(30)
    holder.release()


def test_lock_that_is_cancelled_leaves_the_folder_as_it_was(tmp_path):
    held = lock(tmp_path / "a" / "b")
    held.acquire(next_order())
    assert (tmp_path / "a" / "b").is_dir()
    held.cancel()
    assert list(tmp_path.iterdir()) == []


def test_lock_where_a_file_stands_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        lock(tmp_path / "file").acquire(next_order())
    with pytest.raises(OSError, match="file"):
        lock(tmp_path / "file" / "run").acquire(next_order())
    assert tree(tmp_path) == ["file"]


HOLDER = """
    import sys
    from keras_image_saver.run.lock import Lock, next_order
    from keras_image_saver.run.writer import Background
    held = Lock(sys.argv[1], Background(print), print, scoped=False)
    held.acquire(next_order())
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_refuses_another_process_and_a_killed_one_leaves_none(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match="which another process uses"):
            lock(tmp_path).acquire(next_order())
    finally:
        process.kill()
        process.communicate()
    mine = lock(tmp_path)
    mine.acquire(next_order())
    mine.release()
    assert tree(tmp_path) == []


# There nothing is inherited.
@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="Windows has no fork"
)
def test_lock_inherited_by_a_fork_is_not_the_childs(tmp_path):
    script = f"""
        import os
        from keras_image_saver.run.lock import Lock, next_order
        from keras_image_saver.run.writer import Background
        held = Lock({str(tmp_path)!r}, Background(print), print, scoped=False)
        held.acquire(next_order())
        child = os.fork()
        if child == 0:
            try:
                Lock({str(tmp_path)!r}, Background(print), print, scoped=False).acquire(next_order())
            except ValueError as error:
                os._exit(0 if "another process" in str(error) else 2)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)], check=False
    )
    assert done.returncode == 0


def test_file_system_without_locks_is_used_without_and_it_is_said(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="Windows has other locks")

    def lockf(file, flags):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    said = []
    one = lock(tmp_path, say=said.append)
    one.acquire(next_order())
    assert said == [
        f"{tmp_path} cannot be locked against other processes: [Errno {errno.ENOLCK}] No locks "
        "available"
    ]
    with pytest.raises(ValueError, match="another ImageSaver of this process"):
        lock(tmp_path, scoped=True).acquire(0)
    one.release()


def test_lock_of_a_remote_folder_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = lock("ram://run"), lock("ram://run")
    for one in (first, second):
        one.acquire(next_order())
    for one in (first, second):
        one.release()
    second.cancel()
    assert tree(tmp_path) == []


# What is held, by itself


def hold(owner, **changes):
    fields = {"process": os.getpid(), "thread": threading.current_thread(), "acquired": 1}
    owner = weakref.ref(owner) if owner is not None else lambda: None
    return _Hold(**{"key": "runs", "owner": owner, **fields, **changes})


def ended_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    return thread


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize(
    ("change", "is_gone", "has_ended"),
    [
        ("none", False, False),
        ("forgotten", True, True),
        ("of a parent", True, True),
        ("of a child", True, True),
        ("leaving", False, True),
        ("thread ended", False, True),
    ],
)
def test_holder_tells_whether_it_has_ended_and_what_may_still_write(
    tmp_path, busy, change, is_gone, has_ended
):
    answers, writer = threading.Event(), Background(pytest.fail)
    owner = lock(tmp_path, writer=writer)
    changes = {
        "of a parent": {"process": os.getpid() - 1},
        "of a child": {"process": os.getpid() + 1},
        "leaving": {"leaving": True},
        "thread ended": {"thread": ended_thread()},
    }
    holder = hold(None if change == "forgotten" else owner, **changes.get(change, {}))
    if busy:
        writer.submit(answers.wait)
    assert holder.has_ended is has_ended
    assert holder.writer is (writer if busy and not is_gone else None)
    answers.set()
    assert flush_all()


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_holder_that_is_closed_removes_the_file_of_its_own_process_alone(tmp_path, away):
    path = tmp_path / ".keras_image_saver.lock"
    path.write_bytes(b"")
    with open(path, "rb") as file:
        holder = hold(None, key=str(tmp_path), process=os.getpid() + away, file=file)
        holder.close()
        assert file.closed
    assert holder.closed.is_set()
    assert path.exists() is (away != 0)


def test_orders_count_up():
    first, second, third = next_order(), next_order(), next_order()
    assert first > 0
    assert (second, third) == (first + 1, first + 2)


def test_turn_tells_which_acquisition_is_released_or_left(tmp_path):
    held = lock(tmp_path)
    assert held.turn == 0
    held.acquire(next_order())
    first = held.turn
    held.acquire(next_order())
    second = held.turn
    assert 0 < first < second
    held.release(first)
    held.leave(first)
    assert held.turn == second
    with pytest.raises(ValueError, match="another ImageSaver of this process"):
        lock(tmp_path).acquire(0)
    held.leave(second)
    other = lock(tmp_path)
    other.acquire(0)  # what is left gives way
    assert held.turn == 0
    held.release()
    assert other.turn > second
    other.release(other.turn)
    assert other.turn == 0


def test_lock_of_a_training_that_began_no_earlier_does_not_give_way(tmp_path):
    held = lock(tmp_path)
    held.acquire(next_order())
    with pytest.raises(ValueError, match="another ImageSaver of this process"):
        lock(tmp_path).acquire(held.turn)
    other = lock(tmp_path)
    other.acquire(held.turn + 1)
    other.release()


def test_lock_waits_for_four_fifths_of_the_time_that_training_waits(tmp_path, stall_limit):
    shares, timeouts = [], []

    class Busy(Background):
        is_idle = False

        def flush(self, share=1.0):
            shares.append(share)
            return share == 0.8

    held = lock(tmp_path, writer=Busy(pytest.fail))
    held.acquire(next_order())
    held.leave()
    holder = held._hold()
    holder.closing = True  # somebody else has begun to give it back
    holder.closed = SimpleNamespace(wait=timeouts.append, set=holder.closed.set)
    stall_limit(50)
    with pytest.raises(ValueError, match="an earlier training of this process uses"):
        lock(tmp_path).acquire(next_order())
    assert (shares, timeouts) == ([0.8], [40.0])
    holder.closing = False
    held.release()


def test_garbage_is_not_waited_for_where_locks_are_looked_at(tmp_path):
    forgotten = lock(tmp_path)
    forgotten.acquire(next_order())
    key, holder = forgotten._key, forgotten._hold()
    del forgotten
    gc.collect()
    assert holder.closed.is_set()  # nobody looked at them
    Lock._held[key] = another = hold(None, key=key)
    with Lock._guard:
        Lock._drop_forgotten()
        assert not another.closed.is_set()
    another.closing = True
    Lock._drop_forgotten()
    assert key in Lock._held
    another.closing = False
    Lock._drop_forgotten()
    assert key not in Lock._held
    assert another.closed.is_set()


# The lock's file


@pytest.mark.parametrize("number", [errno.EACCES, errno.EAGAIN, errno.EDEADLK])
def test_lock_that_another_process_holds_is_told_by_any_of_its_errors(
    tmp_path, monkeypatch, number
):
    def refuse(file):
        raise OSError(number, "taken")

    monkeypatch.setattr("keras_image_saver.run.lock._lock_file", refuse)
    held = lock(tmp_path)
    for _ in range(2):  # nothing is left of the first try
        with pytest.raises(ValueError, match=r"which another process uses\. Wait until it ends"):
            held.acquire(next_order())
    assert held.turn == 0


@with_descriptors
@pytest.mark.parametrize("again", [False, True], ids=["removed", "removed and made again"])
def test_lock_whose_file_the_holder_before_has_just_removed_is_opened_again(
    tmp_path, monkeypatch, again
):
    path, opened = tmp_path / ".keras_image_saver.lock", []

    def removed_at_first(file):
        opened.append(file)
        if len(opened) < 3:
            path.rename(tmp_path / f"old-{len(opened)}")
            if again:
                path.write_bytes(b"")

    before = descriptors()
    monkeypatch.setattr("keras_image_saver.run.lock._lock_file", removed_at_first)
    held = lock(tmp_path)
    held.acquire(next_order())
    assert [file.closed for file in opened] == [True, True, False]
    assert descriptors() == before + 1
    held.release()
    assert not path.exists()


def test_lock_on_windows_is_of_the_files_first_byte(monkeypatch):
    calls = []
    windows = SimpleNamespace(LK_NBLCK=2, locking=lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    _lock_file(SimpleNamespace(fileno=lambda: 7))
    assert calls == [(7, 2, 1)]
