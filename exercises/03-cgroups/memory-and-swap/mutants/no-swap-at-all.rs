self.memory_swap.or(self.memory)
