import unittest

from gatelodge.contract.board import LEAST_HEAP_KB
from gatelodge.contract.errors import BoardError
from gatelodge.core import heap

KB = 1024
SMALLEST = LEAST_HEAP_KB * KB


class TestHeap(unittest.TestCase):
    def test_the_smallest_heap_of_a_board_is_enough_with_room_for_its_accounts(self):
        heap.check(SMALLEST - SMALLEST // 32)

    def test_a_heap_that_is_too_small_is_refused_with_what_to_do(self):
        with self.assertRaises(BoardError) as caught:
            heap.check(1024 * KB)
        self.assertIn("a heap of 1024 KB, too small", str(caught.exception))
        self.assertIn(f"-X heapsize={LEAST_HEAP_KB}k", str(caught.exception))

    def test_connections_grow_with_the_heap_up_to_what_homes_need(self):
        sizes = range(LEAST_HEAP_KB, 16 * 1024, 100)
        counts = [heap.connections(size * KB) for size in sizes]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual((counts[0], counts[-1]), (heap.FEWEST + 1, heap.MOST))

    def test_at_their_worst_all_connections_together_leave_the_rest_of_the_heap_alone(self):
        for size in range(heap.LEAST, 4096 * KB, 10 * KB):
            taken = heap.LIVE + heap.WORK + heap.connections(size) * heap.CONNECTION
            self.assertTrue(taken <= size, size)

    def test_a_small_heap_is_collected_more_often(self):
        self.assertEqual(heap.garbage(8192 * KB), heap.MOST_GARBAGE)
        self.assertEqual(heap.garbage(SMALLEST), 192 * KB)


if __name__ == "__main__":
    unittest.main()
