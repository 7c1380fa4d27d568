let (master, terminal) = tty::open_pty(Path::new("/dev/ptmx"))?;
file::chown(&terminal, uid, tty_group(&terminal)?)?;
if first {
    show_as_console(terminal.as_fd())?;
}
channel::console(channel, master.as_fd())?;
tty::control(&terminal)?;
ipc::become_stdio(&terminal, true, true, true)
