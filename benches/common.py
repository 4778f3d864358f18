"""What the benchmarks that run a node beside simulated cameras share. They run in the repository's folder."""

import collections, contextlib, os, socket, subprocess

# 720p25 H.264 of people crossing a campus, a keyframe a second.
CLIP, VIDEO = ".cache/bench/vtest-720p25-1s.mp4", ".cache/footage/opencv/vtest.avi"
TICKS = os.sysconf("SC_CLK_TCK")


def make_clip():
    if not os.path.exists(CLIP):
        os.makedirs(os.path.dirname(CLIP), exist_ok=True)
        part = CLIP + ".part.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", VIDEO, "-t", "60", "-vf", "scale=1280:720:flags=bicubic,fps=25", "-c:v", "libx264"]
            + "-preset medium -b:v 2M -g 25 -keyint_min 25 -sc_threshold 0 -bf 0 -pix_fmt yuv420p".split() + [part],
            check=True)
        os.rename(part, CLIP)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu(of):
    """Seconds that a program, or one of its threads, took of the processors, of the user and of the system."""
    fields = open(f"/proc/{of}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_threads(pid):
    """The same by the names of the program's threads."""
    spent = collections.Counter()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):  # It has ended.
            spent[open(f"/proc/{pid}/task/{thread}/comm").read().strip()] += cpu(f"{pid}/task/{thread}")
    return spent
