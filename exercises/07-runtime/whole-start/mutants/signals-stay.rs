stdio.install()?;
file::close_on_exec_from(3 + passed)?;
