import errno
import multiprocessing
import subprocess
import sys
import textwrap
import threading

import pytest

from keras_image_saver.run.lock import Lock, next_order


def lock(folder, *, scoped=False, flush=lambda: None, say=pytest.fail):
    return Lock(str(folder), flush, say, scoped=scoped)


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
    flushed = []
    lock(tmp_path, flush=lambda: flushed.append(True)).acquire(next_order())
    second = lock(tmp_path)
    # Its training began later, on the same thread: the first has ended.
    second.acquire(next_order())
    assert flushed == [True]
    second.release()


@pytest.mark.parametrize("reason", ["watch", "thread"])
def test_lock_of_a_live_saver_does_not_give_way(tmp_path, reason):
    holder = lock(tmp_path, scoped=reason == "watch")
    if reason == "thread":
        thread = threading.Thread(target=holder.acquire, args=(next_order(),))
        thread.start()
        thread.join()
    else:
        holder.acquire(next_order())
    with pytest.raises(ValueError, match="another ImageSaver of this process"):
        lock(tmp_path).acquire(next_order())
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
    held = Lock(sys.argv[1], lambda: None, print, scoped=False)
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
        held = Lock({str(tmp_path)!r}, lambda: None, print, scoped=False)
        held.acquire(next_order())
        child = os.fork()
        if child == 0:
            try:
                Lock({str(tmp_path)!r}, lambda: None, print, scoped=False).acquire(next_order())
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
