self.memory_swap.or(self.memory.map(|memory| memory.saturating_mul(2)))
