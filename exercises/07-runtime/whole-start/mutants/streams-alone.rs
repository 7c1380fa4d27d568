let (master, terminal) = tty::open_pty(Path::new("/dev/ptmx"))?;
size.map_or(Ok(()), |size| tty::set_window_size(&master, size))?;
file::chown(&terminal, uid, tty_group(&terminal)?)?;
if first {
    show_as_console(terminal.as_fd())?;
}
channel::console(channel, master.as_fd())?;
ipc::become_stdio(&terminal, true, true, true)
