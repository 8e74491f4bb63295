"""Which file systems tell the kernel of every change, as Linux lists them in `/proc/self/mountinfo`.

A change that another machine makes on a network share, or the host below a virtual machine's shared folder, never
passes this kernel: inotify watches such a folder without complaint and stays silent. So a file system has to be known.
"""

from __future__ import annotations

import os
import re

__all__ = ["REPORTING", "Mounts", "read_mounts"]

# File systems whose every change passes this kernel. `overlay` (a container's root) is one: what is done through its
# mount point is reported, also at the first write to a file of a lower layer, since its inodes are keyed by the lower
# ones for this very purpose (`ovl_hash_bylower`); writing to the layers behind its back is undefined by its own
# documentation. ZFS's driver uses the kernel's hooks like any other. Not listed: nfs, cifs, smb3, 9p, virtiofs, fuse
# (sshfs, Docker Desktop's and WSL's shared folders), vboxsf, prl_fs, afs, ceph, lustre, gpfs, /proc, /sys.
REPORTING = frozenset(
    ("bcachefs", "btrfs", "devtmpfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"),
)


class Mounts:
    """The mounted file systems.

    Args:
        systems: mount point -> type of the file system.
        devices: device number, as `os.stat` gives it -> type.

    >>> mounts = Mounts({"/": "ext4", "/mnt/share": "nfs4"})
    >>> mounts.system_of("/mnt/share/a.py"), mounts.system_of("/mnt/shared")
    ('nfs4', 'ext4')
    """

    def __init__(self, systems: dict[str, str], devices: dict[int, str] | None = None) -> None:
        self._systems = systems
        self._devices = devices or {}
        self._names = frozenset(map(os.path.basename, systems))

    def system_of(self, real_path: str, device: int | None = None) -> str:
        """Return the type of the file system that a path without links is on; empty where it is unknown.

        The device decides where it is listed, since a mount point may be hidden by another one above it. A subvolume
        of btrfs has a device of its own that is not.
        """
        if device in self._devices:
            return self._devices[device]
        path = real_path
        while path not in self._systems:
            parent = os.path.dirname(path)
            if parent == path:
                return ""
            path = parent
        return self._systems[path]

    def foreign_file(self, folder: str, name: str) -> bool:
        """Say whether a file is mounted by itself, as containers do with one, and need not report changes."""
        if name not in self._names:
            return False
        path = os.path.join(folder, name)
        return path in self._systems and self._systems[path] not in REPORTING


def read_mounts(table: str = "/proc/self/mountinfo") -> Mounts:
    """Read the mounts of this process; none where there is no such table.

    The format is in proc_pid_mountinfo(5): the third field is the device, the fifth the mount point, and the type
    follows a hyphen.
    """
    systems: dict[str, str] = {}
    devices: dict[int, str] = {}
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                fields = line.split(" ")
                kind = fields[fields.index("-", 6) + 1]
                major, minor = fields[2].split(":")
                systems[_unescape(fields[4])] = kind  # later lines are mounted over earlier ones
                devices[os.makedev(int(major), int(minor))] = kind
    except OSError:
        pass  # no such table, no file system known to report: all is looked at
    return Mounts(systems, devices)


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
