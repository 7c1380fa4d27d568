let memory = self.memory?;
let swap = self.memory_swap.unwrap_or(memory);
Some(if memory == -1 || swap == -1 { -1 } else { memory.saturating_add(swap) })
