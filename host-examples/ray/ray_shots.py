"""A list or a folder of shots on many machines, by Ray: one shot a task, the model loaded once a worker.

    python3 ray_shots.py shots.json -o /shared/masks --address auto      # on a cluster that `ray start` made
    python3 ray_shots.py shots.json -o /shared/masks --local-nodes 3     # three nodes on this machine, to try it

List, clips and output lie on a folder that all nodes see under one path; so do this file and `../python`, and each node has
`ray`, `ffmpeg` and rotomask (ROTOMASK_LIBRARY names it). What a list says is told in `../python/shots.py`.

A shot's session is on the shared folder and has every finished frame. So a node that dies loses none: Ray starts its shots
anew elsewhere, and they go on where they were. Masks are the same bytes as one machine's.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

import ray

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parent / "python"
sys.path.insert(0, str(PYTHON))

import shots  # noqa: E402

#: Bytes; a shot's frames never go through Ray's store, which so can be small.
STORE = 100 << 20


@ray.remote(num_cpus=0)
class Board:
    """Where every shot stands: one for all, on the node that was asked."""

    def __init__(self) -> None:
        self.frames: dict[str, int] = {}
        self.starts: dict[str, list[str]] = {}

    def start(self, name: str, node: str) -> None:
        self.starts.setdefault(name, []).append(node)

    def tell(self, name: str, frames: int) -> None:
        self.frames[name] = frames

    def all(self) -> tuple[dict[str, int], dict[str, list[str]]]:
        return self.frames, self.starts


def work(said: dict[str, Any], out: str, model: Optional[str], threads: int, python: str, board: Any) -> tuple[str, dict[str, Any]]:
    """One shot, on whichever node has room."""
    if python not in sys.path:
        sys.path.insert(0, python)
    import shots as here

    shot = here.Shot(**said)
    node = ray.get_runtime_context().get_node_id()
    board.start.remote(shot.name, node)
    told = [0.0]

    def progress(frames: int) -> None:
        # What it tells is small and often; ten times a second is enough to look at.
        if time.monotonic() - told[0] > 0.1:
            told[0] = time.monotonic()
            board.tell.remote(shot.name, frames)

    done = here.run_shot(here.model_of_worker(model, threads), shot, Path(out), progress)
    board.tell.remote(shot.name, done["frames"])
    # Which worker it was, and how many models that has loaded so far.
    return shot.name, {**done, "worker": f"{node} {os.getpid()}", "loads": here.model_of_worker.cache_info().misses}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Masks for a list or a folder of shots, on a Ray cluster.")
    parser.add_argument("list", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="a folder that all nodes see")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--address", help="of a cluster that is there; `auto` on one of its nodes")
    where.add_argument("--local-nodes", type=int, metavar="N", help="make a cluster of N nodes on this machine")
    parser.add_argument("--model", help="a NAME.rotomodel that all nodes see; the library has one built in")
    parser.add_argument("--threads", type=int, default=1, help="of a shot, and the cores that it is given")
    parser.add_argument("--retries", type=int, default=5, help="how often a shot may lose its node or worker")
    parser.add_argument(
        "--kill-after", type=int, metavar="FRAMES",
        help="with --local-nodes, to see what becomes of it: kill a node that works when so many frames are done",
    )
    return parser.parse_args()


def local(nodes: int, threads: int) -> Any:
    """Nodes on loopback, each with its own raylet and workers and room for one shot. The first is the head, which only
    keeps the board."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE}
    cluster = Cluster(initialize_head=True, connect=False, head_node_args=head)
    workers = [cluster.add_node(num_cpus=threads, object_store_memory=STORE) for _ in range(nodes)]
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    return cluster, workers


def killed(cluster: Any, workers: list[Any], starts: dict[str, list[str]], unfinished: set[str]) -> Optional[str]:
    """Kills a node that has an unfinished shot, hard, and gives its name."""
    for name in sorted(unfinished & set(starts)):
        for node in workers:
            if node.node_id == starts[name][-1]:
                cluster.remove_node(node, allow_graceful=False)
                workers.remove(node)
                return node.node_id
    return None


def main() -> int:
    args = arguments()
    try:
        listed = shots.read_list(args.list.resolve())
    except (OSError, ValueError) as error:
        print(f"ray_shots: {error}", file=sys.stderr)
        return 1
    # Workers take these from the raylet that starts them.
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    cluster, workers = None, []
    if args.local_nodes:
        cluster, workers = local(args.local_nodes, args.threads)
    else:
        ray.init(address=args.address, log_to_driver=False, logging_level="error")
    try:
        return run(args, listed, cluster, workers)
    finally:
        ray.shutdown()
        if cluster is not None:
            cluster.shutdown()


def run(args: argparse.Namespace, listed: list[Any], cluster: Any, workers: list[Any]) -> int:
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    board = Board.options(scheduling_strategy=here).remote()
    # A lost node or worker is Ray's to try again; what rotomask refuses would be refused again.
    task = ray.remote(work).options(num_cpus=args.threads, max_retries=args.retries)
    begun = time.monotonic()
    running = {
        task.remote(asdict(shot), str(args.output.resolve()), args.model, args.threads, str(PYTHON), board): shot.name for shot in listed
    }
    total, done, failed, dead, shown = len(running), {}, {}, None, ""
    while running:
        ready, _ = ray.wait(list(running), timeout=0.2)
        for one in ready:
            name = running.pop(one)
            try:
                done[name] = ray.get(one)[1]
                print(f"{name}: {done[name]['frames']} frames; {len(done)} of {total} shots", flush=True)
            except ray.exceptions.RayError as error:
                failed[name] = str(error).strip().splitlines()[-1]
                print(f"{name}: {failed[name]}", file=sys.stderr, flush=True)
        frames, starts = ray.get(board.all.remote())
        if args.kill_after is not None and dead is None and sum(frames.values()) >= args.kill_after:
            dead = killed(cluster, workers, starts, set(running.values()))
            if dead:
                at = {name: frames.get(name, 0) for name, nodes in starts.items() if nodes[-1] == dead and name in running.values()}
                print(f"killed a node after {sum(frames.values())} frames, {time.monotonic() - begun:.1f} s; it had {at}", flush=True)
        line = f"{len(done) + len(failed)} of {total} shots, {sum(frames.values())} frames"
        if line != shown and sys.stderr.isatty():
            shown = line
            print(f"\r{line}", end="", file=sys.stderr)
    _, starts = ray.get(board.all.remote())
    again = {name: len(nodes) - 1 for name, nodes in starts.items() if len(nodes) > 1}
    frames = sum(one["frames"] for one in done.values())
    kept = sum(done[name]["kept"] for name in again if name in done)
    loads: dict[str, int] = {}
    for one in done.values():
        loads[one["worker"]] = max(one["loads"], loads.get(one["worker"], 0))
    print(f"{sum(loads.values())} models loaded by {len(loads)} workers")
    print(
        f"{len(done)} of {total} shots, {frames} frames, {time.monotonic() - begun:.1f} s on "
        f"{len({node for nodes in starts.values() for node in nodes})} nodes; started again: {again or 'none'}, "
        f"which found {kept} frames finished"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
