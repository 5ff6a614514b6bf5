import errno
import gc
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from functools import partial

import pytest

from keras_image_saver.run.lock import Lock, next_order
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
